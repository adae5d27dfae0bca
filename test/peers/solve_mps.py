"""Solves the MPS files given on standard input (one path a line) with native HiGHS, in one process. Beside each it
writes FILE.json: status, columns, rowDuals, and how much CPU time HiGHS itself took. The first argument holds options, as JSON."""

import json
import sys
import time

import highspy

options = json.loads(sys.argv[1])
for path in sys.stdin.read().split():
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.readModel(path)
    start = time.process_time()
    highs.run()
    solve_ms = 1000 * (time.process_time() - start)
    solution = highs.getSolution()
    optimal = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    with open(path + ".json", "w") as out:
        json.dump(
            {
                "status": "optimal" if optimal else "failed",
                "columns": list(solution.col_value),
                "rowDuals": list(solution.row_dual),
                "solveMs": solve_ms,
            },
            out,
        )
