/** The one line an operator looks at first: which table is in force since when, how the last epoch ended and why, and
 *  what is wrong. */

import type { ControlPlaneView, Epoch } from './control-plane.ts';
import { clock, duration, percent } from './format.ts';

const connections = { connecting: 'connecting', live: 'live', lost: 'no connection, last known state' };

export function Summary({ view: { connection, services, service, epochs, places } }: { view: ControlPlaneView }) {
  const last = epochs.at(-1);
  const alerts = Object.entries(places?.alerts ?? {});
  return (
    <header>
      <div class="title">
        <h1>Taiji</h1>
        {services.length > 1 ? (
          <nav class="services" aria-label="services">
            {services.map((name) => (
              <a key={name} href={`#${encodeURIComponent(name)}`} aria-current={name === service ? 'page' : undefined}>
                {name}
              </a>
            ))}
          </nav>
        ) : (
          service !== null && <span class="service">{service}</span>
        )}
        <span class={`chip ${connection}`}>{connections[connection]}</span>
      </div>
      {last !== undefined && (
        <dl class="facts">
          <Fact name="table" value={last.version === 0 ? 'none yet' : `v${last.version}`} note={ageOf(epochs)} />
          <Fact name="epoch" value={`${last.epoch}`} note={`${clock(last.time)} UTC`} />
          <Fact name="outcome" value={last.outcome} note={last.reason ?? 'as planned'} chip />
          <Fact name="highest utilization" value={highest(last)} note={highestName(last)} />
          <Fact
            name="churn"
            value={percent(last.churn.forced + last.churn.elective, 2)}
            note={`at least ${percent(last.churn.minimum, 2)}`}
          />
        </dl>
      )}
      {alerts.length > 0 && (
        <ul class="alerts">
          {alerts.map(([reason, message]) => (
            <li key={reason}>
              <strong>{reason}</strong> {message}
            </li>
          ))}
        </ul>
      )}
    </header>
  );
}

function Fact({ name, value, note, chip }: { name: string; value: string; note: string; chip?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {chip ? <span class={`chip ${value}`}>{value}</span> : <span class="value">{value}</span>}
        <span class="note" title={note}>
          {note}
        </span>
      </dd>
    </div>
  );
}

/** How long, in the world's time, the table in force has been it. */
function ageOf(epochs: readonly Epoch[]): string {
  const last = epochs.at(-1);
  if (last === undefined || last.version === 0) return '';
  const index = epochs.findIndex(({ version }) => version === last.version);
  const ageMs = Date.parse(last.time) - Date.parse(epochs[index]!.time);
  if (ageMs === 0) return 'new this epoch';
  return `${index === 0 ? 'at least ' : ''}${duration(ageMs)} old`;
}

function highestOf(epoch: Epoch): [string, number] | undefined {
  return Object.entries(epoch.utilization).reduce<[string, number] | undefined>(
    (most, entry) => (most === undefined || entry[1] > most[1] ? entry : most),
    undefined,
  );
}

function highest(epoch: Epoch): string {
  const most = highestOf(epoch);
  return most === undefined ? 'unknown' : percent(most[1]);
}

function highestName(epoch: Epoch): string {
  return highestOf(epoch)?.[0] ?? 'nothing was decided';
}
