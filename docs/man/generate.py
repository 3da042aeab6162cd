#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the manual's section 3 from the comments of the public headers.

usage: generate.py --list HEADER...
       generate.py --output DIRECTORY HEADER...

A comment "NAME: what it does" before one or more declarations becomes the page NAME.3; the other
functions declared there become pages that point to it. The parts of a comment begin with Returns:,
Errors:, Blocks:, Rule: and See:.
"""
import os
import re
import sys

PROJECT = 'Nuntius 0.1'
# What a program includes to get a header of bits/. The others are shown by their place under include/qnx.
SHOWN_AS = {
    'nuntius-device.h': '<sys/mman.h>',
    'nuntius-interrupt.h': '<sys/neutrino.h>',
    'nuntius-sched.h': '<sys/neutrino.h>',
    'nuntius-signal.h': '<sys/neutrino.h>',
    'nuntius-sync.h': '<sys/neutrino.h>',
    'nuntius-thread.h': '<sys/neutrino.h>',
    'nuntius-timeout.h': '<time.h>',
    'nuntius-posix-timer.h': '<time.h>',
    'nuntius-clock.h': '<sys/neutrino.h>',
    'nuntius-delay.h': '<unistd.h>',
    'nuntius-mqueue.h': '<mqueue.h>',
    'nuntius-event.h': '<sys/neutrino.h>',
    'nuntius-timespec.h': '<time.h>',
    'nuntius-timer.h': '<sys/neutrino.h>',
}
PARTS = ('Returns', 'Errors', 'Blocks', 'Rule', 'See')
PAGE = re.compile(r'/\*\n \* (\w+): ([^\n]+)\n((?: \*[^\n]*\n)*?) \*/\n((?:[^\n]+\n)+)')


class Page:
    def __init__(self, header, match):
        self.header = header
        self.include = SHOWN_AS.get(os.path.basename(header)) or '<%s>' % re.split(r'include/(?:qnx/)?', header)[-1]
        self.name, self.brief, comment, self.synopsis = match.groups()
        # The name it is linked by is no business of its user's.
        self.synopsis = re.sub(r'\s*__asm__\("\w+"\)', '', self.synopsis)
        self.functions = re.findall(r'^\w[\w ]*?[ *](\w+)\(', self.synopsis, flags=re.M)
        self.parts = split_parts([line[3:].rstrip() for line in comment.splitlines()])
        missing = {'Returns', 'Blocks', 'Rule', 'See'} - set(self.parts)
        if missing or self.functions[0] != self.name:
            sys.exit('%s: page %s: missing %s' % (header, self.name, ', '.join(missing) or 'its function'))


def split_parts(lines):
    parts = {'': []}
    current = ''
    for line in lines:
        key, colon, rest = line.partition(':')
        if colon and key in PARTS:
            current, line = key, rest.strip()
            parts[current] = []
        parts[current].append(line)
    return parts


def read_pages(paths):
    pages = []
    for path in paths:
        with open(path) as file:
            pages += [Page(path, match) for match in PAGE.finditer(file.read())]
    return pages


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text[:1] in '.\'' else text


def inline(text):
    """Mark up arguments, calls and error names."""
    text = escape(text)
    text = re.sub(r'`([^`]+)`', r'\\fI\1\\fR', text)
    text = re.sub(r'\b(nuntiusd?)\((\d)\)', r'\\fB\1\\fR(\2)', text)
    return re.sub(r'\b(\w+)\(\)', r'\\fB\1\\fR()', text)


def sentence(text):
    """Parts begin in lower case after their key, but with a capital on the page."""
    text = re.sub(r'^(no|never)\.', 'Does not block.', text)
    return text[:1].upper() + text[1:]


def paragraphs(lines):
    blocks = '\n'.join(line.strip() for line in lines).strip().split('\n\n')
    return '\n.PP\n'.join('\n'.join(inline(line) for line in block.splitlines()) for block in blocks)


def errors(lines):
    entries = []
    for line in lines:
        match = re.match(r'\s+(E[A-Z0-9]+(?:, E[A-Z0-9]+)*)\s+(.*)', line)
        if match:
            entries.append([match[1], match[2]])
        elif line.strip():
            entries[-1][1] += '\n' + line.strip()
    return '\n'.join('.TP\n.B %s\n%s' % (name, '\n'.join(inline(line) for line in sentence(text).splitlines()))
                     for name, text in entries)


def section_of(name):
    return {'nuntius': 7}.get(name, 3)


def see_also(page, known):
    names = [name.strip() for name in ' '.join(page.parts['See']).split(',')]
    for name in names:
        if name not in known:
            sys.exit('%s: page %s: See: unknown %s' % (page.header, page.name, name))
    return ',\n'.join('.BR %s (%d)' % (n, section_of(n)) for n in names + ['nuntius'])


def roff(page, known):
    header = page.include
    out = ['.\\" SPDX-License-Identifier: MIT', '.\\" Made from %s by generate.py' % header,
           '.TH "%s" 3 "" "%s" "Nuntius Manual"' % (page.name, PROJECT), '.SH NAME',
           '%s \\- %s' % (', '.join(page.functions), escape(page.brief)), '.SH SYNOPSIS', '.nf',
           '\\fB#include %s\\fR' % header, '.PP']
    out += ['\\fB%s\\fR' % escape(line) for line in page.synopsis.splitlines()]
    out += ['.fi', '.SH DESCRIPTION', paragraphs(page.parts['']), '.SH "RETURN VALUE"',
            sentence(paragraphs(page.parts['Returns']))]
    if 'Errors' in page.parts:
        out += ['.SH ERRORS', errors(page.parts['Errors'])]
    out += ['.SH "BLOCKING AND CANCELLATION"', sentence(paragraphs(page.parts['Blocks'])), '.SH NOTES',
            'Source of these rules: ' + paragraphs(page.parts['Rule']), '.SH "SEE ALSO"',
            see_also(page, known)]
    return '\n'.join(out) + '\n'


def main():
    if len(sys.argv) < 3 or (sys.argv[1] == '--output' and len(sys.argv) < 4):
        sys.exit(__doc__)
    if sys.argv[1] == '--list':
        for page in read_pages(sys.argv[2:]):
            print(*['%s.3' % function for function in page.functions], sep='\n')
        return
    directory = sys.argv[2]
    pages = read_pages(sys.argv[3:])
    known = {function for page in pages for function in page.functions}
    for page in pages:
        for function in page.functions:
            text = roff(page, known) if function == page.name else '.so man3/%s.3\n' % page.name
            with open(os.path.join(directory, function + '.3'), 'w') as file:
                file.write(text)


main()
