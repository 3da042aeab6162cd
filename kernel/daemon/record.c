/* SPDX-License-Identifier: MIT */
#include "daemon/record.h"

const NounShape *noun_shape(Noun noun) {
        static const NounShape shapes[NOUN_N] = {
#define X(name, type, max) [NOUN_##name] = { "nuntius-table-" #name, sizeof(type), max },
                NOUNS(X)
#undef X
        };

        return &shapes[noun];
}
