/* What the detectors found on one message: the side of the chain. */
#ifndef SCAN_RESULT_H
#define SCAN_RESULT_H

#include "scan.h"

#define SCAN_FINDINGS_MAX 1000
#define SCAN_DETAIL_MAX 256 /* octets */
#define SCAN_VIRUSES_MAX 16
#define SCAN_FILES_MAX 2000
#define SCAN_FILE_NAME_MAX                                                               \
    255 /* octets kept: the end of the name, where its extension is */
#define SCAN_DETECTORS_MAX 16

struct scan_finding {
    const char *symbol;
    const char *detector;
    struct mx_str detail;
    unsigned times; /* how often the weight counts */
    double weight;  /* as its detector said; has_weight: it did */
    bool has_weight;
    double score; /* filled in by scan_score */
};

struct scan_fault {
    const char *detector;
    const char *reason;
};

struct scan_cost {
    const char *detector;
    uint64_t us;
    bool is_finished;
};

struct scan_spent {
    const char *detector, *stage, *item;
    int64_t ns;
};
#define SCAN_SPENT_MAX 10000

struct scan_result {
    struct mx_arena *arena;
    const char *detector; /* the one that is running */
    struct scan_finding *findings;
    size_t n_findings, room;
    struct mx_str viruses[SCAN_VIRUSES_MAX];
    size_t n_viruses;
    struct scan_file *files;
    size_t n_files, files_room;
    struct scan_fault faults[SCAN_DETECTORS_MAX];
    size_t n_faults;
    struct scan_cost costs[SCAN_DETECTORS_MAX];
    size_t n_costs;
    struct mx_str limited; /* the first rule that met a limit */
    size_t n_limited;
    struct scan_spent *spent;
    size_t n_spent, spent_room;
    bool is_profiled; /* set by whoever runs the chain */
    bool has_bayes;   /* a detector knows the probability: */
    double bayes;     /* of spam, 0 to 1; rules have scores of their own with it */
    bool is_final;
};

/** scan_result_init(result, arena): empty. */
void scan_result_init(struct scan_result *result, struct mx_arena *arena);

/** scan_result_fault(result, detector, reason): it could not run. ${reason} is borrowed.
 */
void scan_result_fault(struct scan_result *result, const char *detector,
                       const char *reason);

#endif
