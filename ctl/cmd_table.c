/*
 * The one list of commands: name, arguments, what it does, who does it. --help, the
 * dispatcher and the manual page's check all read it. A new command is one cmd_*.c, one
 * prototype in ctl.h and one entry here.
 */
#include "ctl.h"

const struct ctl_command ctl_commands[] = {
    {"up", "[--dir DIR] [--scanners N] [--policyds N] [--smtp PORT]",
     "a whole cluster on this machine, until Ctrl-C", cmd_up},
    {0},
};
