#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes this machine's figures into README.md, between its "measured" marks.

usage: msgbench --json | measured.py README.md      (see tools/msgbench; on a machine that does nothing else)
"""
import json
import os
import platform
import sys

BEGIN, END = '<!-- measured: begin -->\n', '<!-- measured: end -->\n'


def nanoseconds(value):
    return f'{value:,.0f}' if value >= 10 else f'{value:.1f}'


def table(rows):
    yield '| case | bytes | ns | baseline | baseline ns | ratio | at most | |\n|---|---|---|---|---|---|---|---|\n'
    for row in rows:
        yield (f'| `{row["case"]}` | {row["bytes"]:,} | {nanoseconds(row["ns"])} | {row["baseline"]} | '
               f'{nanoseconds(row["baseline_ns"])} | **{row["ratio"]:.2f}** | {row["limit"]} | '
               f'{"" if row["ok"] else "missed"} |\n')


def remarks(rows):
    memory = {row['case'][7:]: row['bytes'] for row in rows if row['case'].startswith('memory-')}
    if memory:
        yield '\nMemory for each link: ' + ', '.join(f'{who} {n / 1024:.0f} KiB' for who, n in memory.items()) + '.\n'
    for row in rows:
        if row['case'] == 'idle':
            yield f'CPU time of 1,000 blocked clients in 5 s: {row["ns"] / 1e6:.1f} ms.\n'
    yield f'\nMeasured with {os.cpu_count()} processors, Linux {platform.release()}, {platform.machine()}.\n'


def main(path):
    rows = [json.loads(line) for line in sys.stdin if line.startswith('{')]
    compared = [row for row in rows if row.get('ratio') is not None]
    if not compared:
        sys.exit('measured.py: no figures on standard input')
    with open(path, encoding='utf-8') as file:
        before, _, rest = file.read().partition(BEGIN)
    after = rest.partition(END)[2]
    with open(path, 'w', encoding='utf-8') as file:
        file.write(before + BEGIN + ''.join(table(compared)) + ''.join(remarks(rows)) + END + after)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
