/** `taiji replay` with several policies: the services of one world, those that draw on the same resources solved
 *  together. */

import { progressBar } from '../../bucketizer/io/progress.ts';
import { ConfigError } from '../../config/errors.ts';
import { compareIds } from '../../config/ids.ts';
import { readPolicy } from '../../config/load.ts';
import { checkDistinct, checkGroup } from '../../config/policy-group.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { type World, worldOfService } from '../../config/world.ts';
import { certifiedBy, type SolveCertified } from '../../runtime/lp/certified.ts';
import { groupsOf } from '../../runtime/pools.ts';
import type { EpochContext } from '../epoch/inputs.ts';
import { NeededMovement } from '../replay/needed.ts';
import { needingOf, type ReplayReport, ReportBuilder } from '../replay/report.ts';
import { type ReplayedService, type ReplayOptions, replayGroup } from '../replay/world-replay.ts';

/** By service. Throws a ConfigError where a policy does not fit the world or its group. */
export async function replayServices(
  world: World,
  services: readonly ReplayedService[],
  options: ReplayOptions,
): Promise<Readonly<Record<string, ReplayReport>>> {
  const groups = groupsOf(services.map(({ policy }) => ({ policy, topology: world.topology })));
  for (const members of groups) checkGroup(members.map((s) => services[s]!.policy));
  const { timesMs } = world.demand;
  const epochs = timesMs.filter((timeMs) => timeMs >= options.fromMs && timeMs < options.toMs).length;
  const bar = await progressBar();
  let done = 0;
  const reports: Record<string, ReplayReport> = {};
  for (const members of groups) {
    const group = members.map((s) => services[s]!);
    const builders = group.map(
      ({ world: own, policy, context }) => new ReportBuilder(own, policy, context, solveOf(context)),
    );
    const needed = new NeededMovement(solveOf(group[0]!.context));
    for await (const all of replayGroup(group, options)) {
      const shares =
        all.length > 1 ? await needed.next(all.map((epoch, s) => needingOf(world, group[s]!.policy, epoch, s))) : [];
      for (const [s, epoch] of all.entries()) await builders[s]!.add(epoch, shares[s]);
      done += 1;
      bar.show('replay', done, epochs * groups.length);
    }
    group.forEach(({ policy }, s) => {
      reports[policy.metadata.service] = builders[s]!.finish();
    });
  }
  bar.stop();
  return reports;
}

function solveOf({ solver, secondSolver }: EpochContext): SolveCertified {
  return certifiedBy(secondSolver ? [solver, secondSolver] : [solver], () => {});
}

/** The services that the policies name, as the world knows them. Throws a ConfigError. */
export function servicesOf(world: World, files: readonly string[], context: EpochContext): readonly ReplayedService[] {
  if (!world.services) {
    throw new ConfigError(
      'several policies need a world whose demand.csv has a column "service"; this one has the demand of one service',
    );
  }
  const services = files.map((file): ReplayedService => {
    const policy = readPolicy(file);
    checkPolicyFor(policy, world.topology, file);
    return { world: worldOfService(world, policy.metadata.service, file), policy, context };
  });
  checkDistinct(services.map(({ policy }) => policy));
  // By name, so that the order of the flags means nothing.
  return services.sort((a, b) => compareIds(a.policy.metadata.service, b.policy.metadata.service));
}
