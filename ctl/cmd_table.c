/*
 * The one list of commands: name, arguments, what it does, who does it. --help, the
 * dispatcher and the manual page's check all read it. A new command is one cmd_*.c, one
 * prototype in ctl.h and one entry here.
 */
#include "ctl.h"

const struct ctl_command ctl_commands[] = {
    {"up", "[--dir DIR] [--scanners N] [--policyds N] [--smtp PORT]",
     "a whole cluster on this machine, until Ctrl-C", cmd_up},
    {"scan", "[--local] [--json] [--profile] [--only DETECTOR,...] FILE|DIR|-...",
     "what the scanners find in messages", cmd_scan},
    {"explain", "--ip A --helo H --from S --rcpt R... [FILE]",
     "how the running chains decide, module by module", cmd_explain},
    {"lists", "show|allow|deny|remove SCOPE [PATTERN]",
     "allow and deny lists of a user, a domain or the system", cmd_lists},
    {"prefs", "show|set|unset SCOPE [KEY=VALUE...] | list",
     "what recipients chose: outcomes, thresholds, greylisting", cmd_prefs},
    {"greylist", "show|clear [POOL]", "what greylisting remembers of senders",
     cmd_greylist},
    {"quota", "show|set MAILBOX [limit=SIZE] [used=SIZE] [active=now]",
     "what is known of a mailbox's quota", cmd_quota},
    {"rate", "show [--json]", "rate limits that are being used", cmd_rate},
    {"status", "[--json] [--strict]", "nodes, scanners, Redis, degraded checks, counters",
     cmd_status},
    {"config", "check|docs|sample", "check this node's file, or describe its keys",
     cmd_config},
    {"rules", "check [DIR...] | explain NAME [DIR...] | diff OLD NEW",
     "SpamAssassin rule files as the scanner reads them", cmd_rules},
    {"keygen", "[--secret-file FILE]", "a key pair for tcp:// between hosts", cmd_keygen},
    {0},
};
