#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile every public header alone, then all of them in random orders between the system's.

usage: headers.py c|c++ INCLUDE_DIR LAYOUT_SOURCE COMPILER...
A program may include any header first, twice, and before or after any of the system's, in both languages.
Exit status 77: no compiler for the language.
"""
import os
import random
import subprocess
import sys

ORDERS = 20
SYSTEM = ('stdio.h stdlib.h unistd.h string.h errno.h fcntl.h pthread.h time.h sys/types.h sys/mman.h '
          'stdint.h sys/stat.h signal.h sched.h math.h stddef.h limits.h inttypes.h stdbool.h ctype.h '
          'semaphore.h sys/wait.h dirent.h termios.h netinet/in.h assert.h sys/socket.h malloc.h '
          'sys/time.h stdarg.h sys/ioctl.h sys/select.h aio.h mqueue.h netdb.h spawn.h sys/uio.h '
          'sys/epoll.h sys/eventfd.h poll.h').split()
CXX_SYSTEM = ('iostream cstdlib vector string cstring fstream mutex memory cerrno thread map sstream '
              'chrono cstdint iomanip algorithm cstdio atomic cmath ctime csignal condition_variable '
              'functional limits random').split()
# What pkg-config passes: enough for all headers in every standard, and a program may still ask for more.
PKG_CONFIG = '-D_DEFAULT_SOURCE'
STANDARDS = {'c': ['-std=c11', '-std=gnu17'], 'c++': ['-std=c++17', '-std=gnu++17']}


def public_headers(root):
    found = ['nuntius.h']
    for base, _, files in os.walk(os.path.join(root, 'qnx')):
        found += [os.path.relpath(os.path.join(base, f), os.path.join(root, 'qnx')) for f in files]
    # bits/ is the libc's own folder: what is there is reached through other headers only.
    return sorted(f for f in found if f.endswith('.h') and not f.startswith('bits/'))


class Compiler:
    def __init__(self, language, root, command):
        self.arguments = command + ['-x', language, '-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Werror',
                                    '-I' + os.path.join(root, 'qnx'), '-I' + root]

    def compiles(self, source, *options):
        return subprocess.run([*self.arguments, *options, '-'], input=source, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def accepts(self, source, *options):
        run = self.compiles(source, *options)
        if run.returncode == 0:
            return True
        print('not ok:', ' '.join(options), '\n' + source + run.stdout[:3000])
        return False


def includes(names):
    return ''.join('#include <%s>\n' % name for name in names) + 'extern int not_empty;\n'


def check_alone(compiler, language, headers):
    return all([compiler.accepts(includes([h, h]), std, define)
                for h in headers for std in STANDARDS[language] for define in ['-D_GNU_SOURCE', PKG_CONFIG]])


def check_plain(compiler, language, headers):
    """Without _GNU_SOURCE, as a program finds them that asks for nothing."""
    return all([compiler.accepts(includes([h]), STANDARDS[language][1]) for h in headers])


def check_orders(compiler, language, headers):
    fine = True
    for seed in range(ORDERS):
        names = headers + SYSTEM + (CXX_SYSTEM if language == 'c++' else [])
        random.Random(seed).shuffle(names)
        std = STANDARDS[language][seed % 2]
        # Whatever the order, the event and the value that come out are QNX's.
        use = ('static int use(struct sigevent *event, siginfo_t *info) {\n'
               '        SIGEV_PULSE_INIT(event, 1, SIGEV_PULSE_PRIO_INHERIT, 2, NULL);\n'
               '        return event->sigev_coid + (int)info->si_value.sival_long + EOK + S_IFNAM;\n'
               '}\n'
               'int (*used)(struct sigevent *, siginfo_t *) = use;\n')
        names += ['sys/neutrino.h', 'sys/stat.h']
        fine &= compiler.accepts(includes(names) + use, std, '-D_GNU_SOURCE')
    return fine


# What a program may write, and what must not pass unseen: (language, accepted, options, source).
PROMISES = [
    ('c', True, ['-Wno-error'], '#include <sys/neutrino.h>\nint f(void) { return ChannelCreate(NULL); }\n'),
    ('c', True, [], '#include <stdlib.h>\nint f(int a, int b) { return min(a, b) + max(a, b); }\n'),
    ('c++', True, [], '#include <sys/neutrino.h>\n#include <algorithm>\n_pulse p; _msg_info i; _server_info s;\n'
                      'struct _msg_info64 m; int f(int a) { return std::min(a, 1); }\n'),
    ('c', True, ['-std=c11', PKG_CONFIG], '#define _GNU_SOURCE\n#include <sys/neutrino.h>\nint f;\n'),
    ('c', True, ['-std=c11', PKG_CONFIG], '#define _GNU_SOURCE 1\n#include <sys/neutrino.h>\nint f;\n'),
    # Events are QNX's wherever one is taken; what has no such form refuses them.
    ('c', True, [], '#include <mqueue.h>\nint f(struct sigevent *e) { return mq_notify(0, e); }\n'),
    ('c++', True, [], '#include <mqueue.h>\nint f(struct sigevent *e) { return mq_notify(0, e); }\n'),
    ('c', False, [], '#include <aio.h>\nvoid f(struct aiocb *a, struct sigevent *e) { a->aio_sigevent = *e; }\n'),
    ('c++', True, [], '#include <time.h>\nint f(struct sigevent *e) { timer_t t; return timer_create(0, e, &t) + t; }\n'),
]


def check_promises(compiler, language):
    fine = True
    for of, accepted, options, source in PROMISES:
        if of != language:
            continue
        if accepted:
            fine &= compiler.accepts(source, *options)
        elif compiler.compiles(source, *options).returncode == 0:
            print('not ok: accepted\n' + source)
            fine = False
    return fine


def main():
    language, root, layout, *command = sys.argv[1:]
    if language == 'c++':
        command = os.environ.get('CXX', 'c++').split()
    try:
        subprocess.run([*command, '--version'], stdout=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        print('SKIPPED: no compiler for', language, '(tried', ' '.join(command) + ')')
        return 77
    compiler = Compiler(language, root, command)
    headers = public_headers(root)
    fine = check_alone(compiler, language, headers)
    fine &= check_plain(compiler, language, headers)
    fine &= check_orders(compiler, language, headers)
    fine &= check_promises(compiler, language)
    with open(layout) as source:
        fine &= compiler.accepts(source.read(), STANDARDS[language][0], '-D_GNU_SOURCE')
    print('%d headers, %d orders' % (len(headers), ORDERS))
    return 0 if fine else 1


sys.exit(main())
