"""Places the units of every edge's demand with Meta's Rebalancer: the lowest highest utilization first, then the least
load-weighted squared latency. Reads the problem as JSON on standard input, writes the answer to the path given first:
held[e][d] units, and how much CPU time solve() took. Units start in the closest datacenter."""

import json
import sys
import time

from rebalancer import ProblemSolver

# The package takes the enumerations of its interface by number.
FORMULA_MAX, BOUND_RELATIVE, PACKAGE_HIGHS = 3, 2, 2

problem = json.load(sys.stdin)
demand, capacity, rtt_ms, units = (problem[key] for key in ("demand", "capacity", "rttMs", "units"))
edges, datacenters = range(len(demand)), range(len(capacity))

assignment = {f"d{d}": [] for d in datacenters}
for e in edges:
    closest = min(datacenters, key=lambda d: rtt_ms[e][d])
    assignment[f"d{closest}"] += [f"e{e} {u}" for u in range(units)]

solver = ProblemSolver(service_name="rebalancer", service_scope="peers")
solver.set_object_name("unit").set_container_name("datacenter").set_assignment(assignment)
solver.add_object_dimension("load", {f"e{e} {u}": demand[e] / units for e in edges for u in range(units)})
solver.add_container_dimension("load", {f"d{d}": capacity[d] for d in datacenters})
highest = {"name": "highest", "scope": "datacenter", "dimension": "load", "formula": FORMULA_MAX}
solver.add_goal({"balanceSpec": {**highest, "upperBound": 0.0, "boundType": BOUND_RELATIVE}}, 1.0, 0)
total = sum(demand)
affinities = [
    {
        "objectName": f"e{e} {u}",
        "scopeItemName": f"d{d}",
        "affinity": -demand[e] / units / total * rtt_ms[e][d] * rtt_ms[e][d],
    }
    for e in edges
    for u in range(units)
    for d in datacenters
]
near = {"name": "near", "scope": "datacenter", "affinities": affinities}
solver.add_goal({"assignmentAffinitiesSpec": near}, 1.0, 1)
if problem["solver"] == "local-search":
    moves = [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": {}}]
    solver.add_solver({"localSearchSolverSpec": {"moveTypeList": moves, "solveTime": problem["solveSecondsMax"]}})
else:
    # Without a gap it proves optimality until its time is up and then hands back the start.
    gap = {"paramNamesToValues": {"mip_rel_gap": {"defaultValue": problem["gapMax"]}}}
    options = {"solverPackage": PACKAGE_HIGHS, "solveTime": problem["solveSecondsMax"], "suppressLogs": True}
    solver.add_solver({"optimalSolverSpec": {**options, "multiObjSolveSettings": gap}})

start = time.process_time()
solution = solver.solve()
solve_ms = 1000 * (time.process_time() - start)
held = [[0] * len(capacity) for _ in edges]
for unit, datacenter in solution["assignment"].items():
    held[int(unit[1:].split()[0])][int(datacenter[1:])] += 1
profile = solution.get("problemProfile", {}).get("optimalSolverProfile", {})
with open(sys.argv[1], "w") as out:
    json.dump({"held": held, "solveMs": solve_ms, "found": not profile.get("noFeasibleSolution", False)}, out)
