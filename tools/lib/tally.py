#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up what the tests of all stages said. usage: tally.py STAGE=LOG...

LOG is a testlog.json of Meson. A program made with Check, or one that ends with "N tests, N failed, N
skipped", counts as its tests; any other program counts as one. The last line is "N passed, N failed, N
skipped"; the exit code is 1 when something failed or nothing ran.
"""
import collections
import json
import re
import sys

CHECK = re.compile(r'^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)', re.M)
OWN = re.compile(r'^\S+: (\d+) tests, (\d+) failed, (\d+) skipped$', re.M)
SKIP = re.compile(r'^(?:not ok|ok|#)?\s*SKIP(?:PED)?:? *(.*)$', re.M)

FIGURES = re.compile(r'^# (.*)$', re.M)
SUITES_WITH_FIGURES = ('restart', 'crash', 'model', 'install') # whose "# ..." lines say what was proved

Count = collections.namedtuple('Count', 'passed failed skipped')


def reasons(record):
    return [reason.strip() for reason in SKIP.findall(record.get('stdout', ''))]


def count(record):
    """How many of the tests of one program passed, failed and were skipped."""
    result = record['result']
    text = record.get('stdout', '')
    if result == 'SKIP':
        return Count(0, 0, 1)
    sums = [[int(n) for n in match] for match in OWN.findall(text)]
    if sums:
        n, failed, skipped = (sum(column) for column in zip(*sums))
    else:
        sums = [[int(n) for n in match] for match in CHECK.findall(text)]
        n, failures, errors = (sum(column) for column in zip(*sums)) if sums else (1, 0, 0)
        failed, skipped = failures + errors, min(len(reasons(record)), n)
    if result not in ('OK', 'EXPECTEDFAIL'):
        failed = max(failed, 1)
        n = max(n, failed + skipped)
    return Count(n - failed - skipped, failed, skipped)


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as log:
            return [json.loads(line) for line in log if line.strip()]
    except (OSError, ValueError) as error:
        return [{'name': 'results', 'result': 'ERROR', 'stdout': '', 'stderr': f'{path}: {error}', 'duration': 0}]


def split_name(name):
    """ "nuntius:shm+tsan / shm-copy" is suite shm, test shm-copy. """
    suites, _, test = name.rpartition(' / ')
    return (suites.rpartition(':')[2].split('+')[0] or 'build'), test or name


def show_failure(place, record):
    print(f'\nFAILED {place} ({record["result"]}, {record.get("returncode", "-")})')
    for stream in ('stdout', 'stderr'):
        lines = (record.get(stream) or '').rstrip().splitlines()[-40:]
        print('\n'.join('    ' + line for line in lines))


def main(arguments):
    table = collections.OrderedDict()
    skips, figures = [], []
    for argument in arguments:
        stage, _, path = argument.partition('=')
        for record in read(path):
            suite, test = split_name(record['name'])
            counted = count(record)
            row = table.setdefault((stage, suite), [0, 0, 0, 0.0])
            for i in range(3):
                row[i] += counted[i]
            row[3] += record.get('duration', 0)
            if counted.failed:
                show_failure(f'{stage}/{suite}/{test}', record)
            elif suite in SUITES_WITH_FIGURES:
                figures += [f'{stage}/{suite}/{test}: {line}' for line in FIGURES.findall(record.get('stdout', ''))]
            if counted.skipped:
                why = '; '.join(dict.fromkeys(reasons(record))) or 'it did not say why'
                skips.append(f'{stage}/{suite}/{test}: {why}')

    print(f'\n{"stage":<12} {"suite":<10} {"tests":>6} {"passed":>6} {"failed":>6} {"skipped":>7} {"seconds":>8}')
    for (stage, suite), (passed, failed, skipped, seconds) in table.items():
        print(f'{stage:<12} {suite:<10} {passed + failed + skipped:>6} {passed:>6} {failed:>6} {skipped:>7} '
              f'{seconds:>8.1f}')
    if figures:
        print('\nCounts:')
        print('\n'.join('  ' + line for line in figures))
    if skips:
        print('\nSkipped, and why:')
        print('\n'.join('  ' + skip for skip in skips))
    passed, failed, skipped = (sum(row[i] for row in table.values()) for i in range(3))
    print(f'\n{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1:]))
