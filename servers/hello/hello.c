/* SPDX-License-Identifier: MIT */
/*
 * hello: the smallest resource manager. It takes one name, answers each read with one line, and forgets what is
 * written to it.
 *
 *   hello /dev/hello &        (a name that only your own programs see, unless you are root)
 *   LD_PRELOAD=libnuntius.so.1 cat /dev/hello
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iofunc.h>

static const char line[] = "hello, world\n";

/* A read gives what is left of the line; at its end it gives nothing, which is the end of the file. */
static int io_read(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb) {
        size_t left, n;
        int r = iofunc_read_verify(ctp, msg, ocb, NULL);

        if (r != EOK)
                return r;
        if ((msg->i.xtype & _IO_XTYPE_MASK) != _IO_XTYPE_NONE)
                return ENOSYS;
        left = ocb->offset < ocb->attr->nbytes ? (size_t)(ocb->attr->nbytes - ocb->offset) : 0;
        n = msg->i.nbytes < left ? msg->i.nbytes : left;
        _IO_SET_READ_NBYTES(ctp, n);
        if (n == 0)
                return EOK;
        SETIOV(ctp->iov, line + ocb->offset, n);
        ocb->offset += (off_t)n;
        ocb->attr->flags |= IOFUNC_ATTR_ATIME;
        return _RESMGR_NPARTS(1);
}

int main(int argc, char **argv) {
        const char *path = argc > 1 ? argv[1] : "/dev/hello";
        resmgr_connect_funcs_t connect_funcs;
        resmgr_io_funcs_t io_funcs;
        iofunc_attr_t attr;
        dispatch_context_t *ctp;
        dispatch_t *dpp;

        dpp = dispatch_create();
        if (!dpp) {
                perror("hello: dispatch_create");
                return EXIT_FAILURE;
        }
        iofunc_func_init(_RESMGR_CONNECT_NFUNCS, &connect_funcs, _RESMGR_IO_NFUNCS, &io_funcs);
        io_funcs.read = io_read;
        iofunc_attr_init(&attr, S_IFNAM | 0666, NULL, NULL);
        attr.nbytes = (off_t)strlen(line);
        if (resmgr_attach(dpp, NULL, path, _FTYPE_ANY, 0, &connect_funcs, &io_funcs, &attr) == -1) {
                perror("hello: resmgr_attach");
                return EXIT_FAILURE;
        }
        ctp = dispatch_context_alloc(dpp);
        if (!ctp) {
                perror("hello: dispatch_context_alloc");
                return EXIT_FAILURE;
        }
        for (;;) {
                dispatch_context_t *next = dispatch_block(ctp);

                if (next)
                        dispatch_handler(ctp = next);
        }
}
