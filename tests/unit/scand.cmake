# Units of scand/. engine, supervisor, sup_jobs, sup_workers, sup_engines, sup_status and
# worker are processes: tests/integration/test_scand.py runs the real ones.
foreach(unit message message_base64 message_gate scan_score scan_result scan_chain scan_local
        scan_compare scan_trial
        det_headers det_mime det_gtube det_clamav)
    mx_unit_test(test_${unit} mxscan mxscand)
endforeach()
foreach(unit clam_engine worker_link sup_plan poison_memory poison_sample sup_watch)
    mx_unit_test(test_${unit} mxscand)
endforeach()
