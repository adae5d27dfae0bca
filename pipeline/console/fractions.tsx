/** Which share of each edge's demand each datacenter serves, as a heat table: rows are edges by name, the darker the
 *  more. The number is in every cell that has at least half a percent; hovering says it in full. */

import type { Datacenter, Edge } from './control-plane.ts';
import { percent, rps } from './format.ts';

export function Fractions({ edges, datacenters }: { edges: readonly Edge[]; datacenters: readonly Datacenter[] }) {
  const names = datacenters.map(({ datacenter }) => datacenter);
  return (
    <section class="whole">
      <h2>
        Edges to datacenters <small>percent of each edge's demand</small>
      </h2>
      <div class="scroll">
        <table class="fractions">
          <thead>
            <tr>
              <th>edge</th>
              <th class="number">demand</th>
              <th class="number" title="share of its requests that went elsewhere than its table says, net">
                elsewhere
              </th>
              {names.map((name) => (
                <th key={name} class="slanted">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={edge.edge}>
                <th title={edge.city}>
                  {edge.edge} <small>{edge.city}</small>
                </th>
                <td class="number">{edge.demandRps === null ? '–' : rps(edge.demandRps)}</td>
                <td class="number" title={edge.realised === null ? 'nobody counts' : `by ${edge.realised.by}`}>
                  {edge.realised === null ? '–' : percent(edge.realised.distance)}
                </td>
                {names.map((name) => (
                  <Cell key={name} edge={edge} datacenter={name} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cell({ edge, datacenter }: { edge: Edge; datacenter: string }) {
  const share = edge.fractions?.[datacenter] ?? 0;
  const rtt = edge.rttMs[datacenter];
  const text = `${edge.edge} (${edge.city}) to ${datacenter}: ${percent(share, 2)}${rtt === undefined ? '' : `, ${rtt} ms away`}`;
  return (
    <td class="heat" title={text} style={{ '--share': Math.sqrt(share) }} data-dark={share > 0.4 ? '' : undefined}>
      {share >= 0.005 ? Math.round(100 * share) : ''}
    </td>
  );
}
