/** The last epochs in words: how each ended, why it moved nothing, which limits gave. */

import type { Epoch } from './control-plane.ts';
import { clock, percent } from './format.ts';

const shown = 40;

export function Epochs({ epochs }: { epochs: readonly Epoch[] }) {
  return (
    <section>
      <h2>
        Epochs <small>the last {Math.min(shown, epochs.length)}, newest first</small>
      </h2>
      <div class="scroll tall">
        <table class="epochs">
          <thead>
            <tr>
              <th>time</th>
              <th>outcome</th>
              <th class="number">highest</th>
              <th class="number">moved</th>
              <th class="number">minimum</th>
              <th class="number spare">table</th>
            </tr>
          </thead>
          <tbody>
            {epochs
              .slice(-shown)
              .reverse()
              .map((epoch) => (
                <tr key={epoch.epoch}>
                  <td>{clock(epoch.time)}</td>
                  <td title={remark(epoch)}>
                    <span class={`chip ${epoch.outcome}`}>{epoch.outcome}</span>
                    <span class="note">{remark(epoch)}</span>
                  </td>
                  <td class="number">{highest(epoch)}</td>
                  <td class="number">{percent(epoch.churn.forced + epoch.churn.elective, 2)}</td>
                  <td class="number">{percent(epoch.churn.minimum, 2)}</td>
                  <td class="number spare">v{epoch.version}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function remark({ reason, relaxed }: Epoch): string {
  const gave = relaxed.length > 0 ? `gave way: ${relaxed.join(', ')}` : '';
  return [reason ?? '', gave].filter((text) => text !== '').join('; ');
}

function highest({ utilization }: Epoch): string {
  const values = Object.values(utilization);
  return values.length === 0 ? '–' : percent(Math.max(...values));
}
