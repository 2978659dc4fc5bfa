# Modules tested between a request and the store in memory (module_bed.h). A test includes
# its module's source.
foreach(module rate_limit quota_check change_recipient change_recipient_end block_partial bad_filename
               suspicious_chars findings)
    mx_unit_test(test_mod_${module} mxpolicyd)
endforeach()
