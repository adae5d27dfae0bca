/** The services that a config states: policies, trees and weights read, held against the places they are for, and put into
 *  the groups that are solved together. */

import type { Logger } from 'pino';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { durationMs } from '../../../config/duration.ts';
import { compareIds, type ServiceId, serviceId } from '../../../config/ids.ts';
import { readPolicy } from '../../../config/load.ts';
import type { Policy } from '../../../config/policy.ts';
import { checkDistinct, checkGroup, ticksOf } from '../../../config/policy-group.ts';
import { checkPolicyFor } from '../../../config/policy-topology.ts';
import { type ServerSpec, statedServices } from '../../../config/server.ts';
import { groupsOf } from '../../../runtime/pools.ts';
import { type BucketWeights, bucketWeights } from '../../table/bucket-weights.ts';
import type { LoopSettings } from '../epoch-loop.ts';
import { checkTreeFits, coarseBuckets } from '../tree-fits.ts';
import { openTelemetry, type ServiceTelemetry, type Telemetered } from './telemetry.ts';

export interface Stated {
  readonly telemetry: Telemetered;
  readonly groups: readonly StatedGroup[]; // by their first services
}

/** Services that are solved together, and how often. */
export interface StatedGroup {
  readonly settings: LoopSettings;
  readonly services: readonly StatedService[]; // by name
}

export interface StatedService extends ServiceTelemetry, ServiceFiles {
  readonly everyTicks: number;
  readonly tickMs: number | null; // where that is not what the policy says an epoch is
}

interface ServiceFiles {
  readonly service: ServiceId;
  readonly policy: Policy;
  readonly policyFile: string;
  readonly tree: BucketTree;
  readonly treeFile: string;
  readonly weights: BucketWeights;
  readonly firstTableFile: string | null; // that a first epoch moves from
}

const freshForMsMin = 5000; // an accelerated epoch is over before an edge has asked

/** `at` gives a path of the config as this process sees it. Throws a ConfigError. */
export function readStated(spec: ServerSpec, at: (path: string) => string, log: Logger): Stated {
  const telemetry = openTelemetry(spec, at, Date.now());
  const { topology } = telemetry.world;
  const services = readServices(spec, at, telemetry, log);
  checkDistinct(services.map(({ policy }) => policy));
  const members = groupsOf(services.map(({ policy }) => ({ policy, topology })));
  const groups = members.map((indices) => {
    const own = indices.map((s) => services[s]!);
    const policies = own.map(({ policy }) => policy);
    checkGroup(policies);
    return { own, ticks: ticksOf(policies) };
  });
  const shortestMs = Math.min(...groups.map(({ ticks }) => ticks.tickMs));
  return {
    telemetry,
    groups: groups.map(({ own, ticks }): StatedGroup => {
      const settings = settingsOf(spec, ticks.tickMs, shortestMs);
      return {
        settings,
        services: own.map((files, s) => ({
          ...files,
          ...telemetry.of(files.policy, files.policyFile, settings.epochWallMs),
          everyTicks: ticks.everyTicks[s]!,
          tickMs: ticks.everyTicks[s] === 1 ? null : ticks.tickMs,
        })),
      };
    }),
  };
}

/** By name. */
function readServices(
  spec: ServerSpec,
  at: (path: string) => string,
  { world, dir }: Telemetered,
  log: Logger,
): readonly ServiceFiles[] {
  const trees = new Map<string, Pick<ServiceFiles, 'tree' | 'weights'>>(); // by file: most services share one
  const services = statedServices(spec).map((stated): ServiceFiles => {
    const [policyFile, treeFile] = [at(stated.policy), at(stated.tree)];
    const firstTableFile = stated.firstTable === undefined ? null : at(stated.firstTable);
    const policy = readPolicy(policyFile);
    const { service } = policy.metadata;
    if (policy.spec.assert.length > 0) {
      log.info(
        { service, assert: policy.spec.assert },
        'what the policy asserts is for dry runs and is not checked here',
      );
    }
    for (const warning of checkPolicyFor(policy, world.topology, policyFile)) log.warn(warning);
    let routed = trees.get(treeFile);
    if (!routed) {
      const tree = readTree(treeFile);
      const stranger = checkTreeFits(tree, world.users, treeFile, dir);
      const weights = bucketWeights(world.topology, tree, world.users);
      for (const warning of [stranger, coarseBuckets(tree, weights, world.topology.edges, treeFile)]) {
        if (warning !== null) log.warn(warning);
      }
      routed = { tree, weights };
      trees.set(treeFile, routed);
    }
    return { service: serviceId(service, policyFile), policy, policyFile, treeFile, firstTableFile, ...routed };
  });
  return services.sort((a, b) => compareIds(a.service, b.service));
}

/** The wall time of an epoch, where it is stated, is that of the shortest one here: groups keep the same world time. */
function settingsOf({ telemetry, clock, freshEpochs }: ServerSpec, tickMs: number, shortestMs: number): LoopSettings {
  const epochWallMs =
    clock.epochWall === null ? tickMs / clock.acceleration : durationMs(clock.epochWall) * (tickMs / shortestMs);
  const isLive = telemetry.kind !== 'world';
  const freshForMs = Math.max(freshForMsMin, freshEpochs * epochWallMs);
  return { epochMs: isLive ? epochWallMs : tickMs, epochWallMs, freshForMs, isLive };
}
