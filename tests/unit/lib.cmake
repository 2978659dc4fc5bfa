# Unit tests of lib/.
foreach(unit err arena str str_text buf net addr time log metric health conf http mail
             daemon)
    mx_unit_test(test_mx_${unit} mxcore)
endforeach()
