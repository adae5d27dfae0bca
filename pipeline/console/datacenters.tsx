/** Every datacenter with its state, why it is in it, and how loaded it is. */

import type { Datacenter, Epoch, Intent } from './control-plane.ts';
import { percent, rps } from './format.ts';

interface DatacentersProps {
  readonly datacenters: readonly Datacenter[];
  readonly intents: readonly Intent[];
  readonly last: Epoch | undefined;
}

export function Datacenters({ datacenters, intents, last }: DatacentersProps) {
  return (
    <section>
      <h2>
        Datacenters <small>{intents.length === 0 ? 'no intents in force' : intentsText(intents)}</small>
      </h2>
      <div class="scroll">
        <table class="datacenters">
          <thead>
            <tr>
              <th>datacenter</th>
              <th>state</th>
              <th class="wide">utilization</th>
              <th class="number spare">capacity</th>
            </tr>
          </thead>
          <tbody>
            {datacenters.map((datacenter) => (
              <Row
                key={datacenter.datacenter}
                datacenter={datacenter}
                drain={intents.find(({ kind, datacenter: id }) => kind === 'drain' && id === datacenter.datacenter)}
                utilization={last?.utilization[datacenter.datacenter]}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  readonly datacenter: Datacenter;
  readonly drain: Intent | undefined;
  readonly utilization: number | undefined;
}

function Row({ datacenter: { datacenter, capacityRps, keep, cause }, drain, utilization }: RowProps) {
  const state = keep === 0 ? 'abnormal' : drain !== undefined || keep < 1 ? 'draining' : 'normal';
  const why = cause !== '' ? cause : drain === undefined ? '' : `${drain.reason} (${drain.author})`;
  return (
    <tr>
      <th>{datacenter}</th>
      <td title={why}>
        <span class={`chip ${state}`}>{state}</span> {keep > 0 && keep < 1 && `keeps ${percent(keep, 0)}`}
        {why !== '' && <span class="note">{why}</span>}
      </td>
      <td>
        {utilization === undefined ? (
          '–'
        ) : (
          <div class="gauge">
            <span class="number">{percent(utilization)}</span>
            <meter min={0} max={1} low={0.8} high={0.95} optimum={0} value={utilization} />
          </div>
        )}
      </td>
      <td class="number spare">{rps(capacityRps)}</td>
    </tr>
  );
}

function intentsText(intents: readonly Intent[]): string {
  const names = intents.map(({ kind, datacenter }) => (datacenter === undefined ? kind : `${kind} ${datacenter}`));
  return `in force: ${names.join(', ')}`;
}
