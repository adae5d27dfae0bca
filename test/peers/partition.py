"""Partitions a graph file in METIS's format with KaHIP or Mt-KaHyPar, in one process. The first argument holds what to do, as
JSON: tool, preset, file, blocks, imbalance, seed. Prints JSON: part (of every node), cpuSeconds and wallSeconds of the
partitioning alone, and the peak memory of the process, rssMb."""

import json
import resource
import sys
import time

asked = json.loads(sys.argv[1])


def with_kahip():
    import kahip

    with open(asked["file"]) as lines:
        nodes = int(next(lines).split()[0])
        xadj, adjncy = [0], []
        for line in lines:
            adjncy.extend(int(field) - 1 for field in line.split())
            xadj.append(len(adjncy))
    mode = getattr(kahip, asked["preset"])
    arguments = ([1] * nodes, xadj, [1] * len(adjncy), adjncy, asked["blocks"], asked["imbalance"], True)
    return lambda: kahip.kaffpa(*arguments, asked["seed"], mode)[1]


def with_mtkahypar():
    import mtkahypar

    kit = mtkahypar.initialize(1)
    mtkahypar.set_seed(asked["seed"])
    context = kit.context_from_preset(getattr(mtkahypar.PresetType, asked["preset"]))
    context.set_partitioning_parameters(asked["blocks"], asked["imbalance"], mtkahypar.Objective.CUT)
    graph = kit.graph_from_file(asked["file"], context, mtkahypar.FileFormat.METIS)
    return lambda: graph.partition(context).get_partition()


work = {"kahip": with_kahip, "mtkahypar": with_mtkahypar}[asked["tool"]]()
cpu, wall = time.process_time(), time.perf_counter()
part = work()
answer = {
    "part": list(part),
    "cpuSeconds": time.process_time() - cpu,
    "wallSeconds": time.perf_counter() - wall,
    "rssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}
print(json.dumps(answer))
