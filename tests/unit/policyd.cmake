# policyd: chain, walk, maps, requests, outcomes; modules as tables.
foreach(unit policy_map policy_map_regex policy_maps policy_verdict policy_answers
             policyd_conf policy_table policy_chain policy_walk policy_outcome
             policy_request policy_reply policy_log policy_topology policy_status policy_prefs
             policy_shims policyd
             mod_access mod_fq_rcpt mod_user_lists mod_greylist mod_virus mod_spam)
    mx_unit_test(test_${unit} mxpolicyd)
endforeach()

# A worker has a Redis client; what listens is not needed.
mx_unit_test(test_policy_worker mxpolicyd)
