mx_unit_test(test_attach_name mxscan)
mx_unit_test(test_archive_list mxscan PkgConfig::ARCHIVE)
mx_unit_test(test_det_attachments mxscan)
