#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""groff has no warning about any page. usage: lint.py DIRECTORY_OF_SECTION_3 PAGE...   77: no groff here."""
import os
import shutil
import subprocess
import sys


def warnings(path):
    run = subprocess.run(['groff', '-man', '-ww', '-z', '-Tutf8', os.path.abspath(path)], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.stdout if run.stdout or run.returncode == 0 else 'groff failed\n'


def pages(directory):
    """Pages with a text of their own, and those that point to a page which is not there."""
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if not name.endswith('.3'):
            continue
        with open(path) as file:
            first = file.readline()
        if first.startswith('.so '):
            target = os.path.join(directory, os.path.basename(first.split()[1]))
            if not os.path.exists(target):
                yield path
            continue
        yield path


if shutil.which('groff') is None:
    print('SKIPPED: no groff')
    sys.exit(77)
checked = [*pages(sys.argv[1]), *sys.argv[2:]]
found = ''.join(warnings(path) for path in checked)
print(found + '%d pages' % len(checked))
sys.exit(1 if found or len(checked) < 10 else 0)
