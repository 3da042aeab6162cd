/* SPDX-License-Identifier: MIT */
/*
 * Day: three processes ask the daemon for one of everything, tell what they see, and die.
 */
#pragma once

/* Fails the test when anything is not as it would be if the daemon never died; in the end it holds nothing. */
void busy_day(void);
