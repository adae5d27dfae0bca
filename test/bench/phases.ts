/** Where an epoch's time goes, by samples of the running program: what it does is told by the outermost function of a phase
 *  on the stack. Clocks inside the epoch would have to be in the core, which has none. */

import { type Profiler, Session } from 'node:inspector';

/** The functions that are a phase, by name; whatever they call belongs to it. */
const phaseOf: Readonly<Record<string, Phase>> = {
  buildGroupModel: 'build',
  nearest: 'build', // which pairs a program is written for
  formulate: 'build',
  relevelled: 'build',
  aggregated: 'build',
  postMessage: 'handOver',
  placementOf: 'read',
  certify: 'certify',
  exact: 'certify',
  bring: 'certify', // has anybody who was left out anything to win?
  dualSteps: 'solve',
  sifted: 'solve',
};

export const phases = ['build', 'handOver', 'read', 'certify', 'solve', 'rest'] as const;
export type Phase = (typeof phases)[number];

/** Share of the time this thread spends in the runtime, by phase, while `work` runs. */
export async function sampledPhases(work: () => Promise<void>): Promise<Readonly<Record<Phase, number>>> {
  const session = new Session();
  session.connect();
  const post = <T>(method: string, parameters?: object): Promise<T> =>
    new Promise((resolve, reject) => {
      session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result as T)));
    });
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval: 100 });
  await post('Profiler.start');
  await work();
  const { profile } = await post<{ profile: Profiler.Profile }>('Profiler.stop');
  session.disconnect();
  return sharesOf(profile);
}

function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Readonly<Record<Phase, number>> {
  const phaseAt = new Map<number, Phase | 'elsewhere'>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const mark = (id: number, within: Phase | 'elsewhere'): void => {
    const { callFrame, children = [] } = byId.get(id)!;
    const isOpen = within === 'elsewhere' || within === 'rest';
    const own = callFrame.url.includes('/runtime/') ? 'rest' : within;
    const phase = isOpen ? (phaseOf[callFrame.functionName] ?? own) : within;
    phaseAt.set(id, phase);
    for (const child of children) mark(child, phase);
  };
  mark(nodes[0]!.id, 'elsewhere');
  const spent = { build: 0, handOver: 0, read: 0, certify: 0, solve: 0, rest: 0 };
  let busy = 0;
  samples.forEach((id, at) => {
    const phase = phaseAt.get(id)!;
    if (phase === 'elsewhere') return;
    spent[phase] += timeDeltas[at]!;
    busy += timeDeltas[at]!;
  });
  for (const phase of phases) spent[phase] /= busy;
  return spent;
}
