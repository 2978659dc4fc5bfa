/* All of test_rule_run without libhs, as -DMX_HYPERSCAN=OFF builds it: what stands in for
   it, compiled here, comes before the library's. */
#include "rules/rule_match_db.c"

#include "test_rule_run.c"
