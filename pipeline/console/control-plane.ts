/** What the page knows of the control plane, kept up to date: the history once, then one event an epoch. After a break
 *  the stream is joined again by the browser and what was missed is asked for. Shapes are those of the server's routes
 *  (GET v1/services, v1/epochs, v1/edges, v1/intents, v1/events); this room imports none of its code. Of several services
 *  one is shown, the one the address names after its `#`, else the first. */

export interface Epoch {
  readonly epoch: number;
  readonly time: string;
  readonly outcome: 'published' | 'unchanged' | 'held' | 'rejected' | 'initial';
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly utilization: Readonly<Record<string, number>>; // empty where nothing was decided
  readonly churn: {
    readonly forced: number;
    readonly elective: number;
    readonly deferred: number;
    readonly minimum: number;
  };
  readonly version: number;
  readonly durationMs: number;
}

export interface Datacenter {
  readonly datacenter: string;
  readonly capacityRps: number;
  readonly keep: number;
  readonly cause: string;
}

export interface Edge {
  readonly edge: string;
  readonly city: string;
  readonly demandRps: number | null;
  readonly fractions: Readonly<Record<string, number>> | null; // null: no table yet
  readonly rttMs: Readonly<Record<string, number>>;
  readonly realised: { readonly distance: number; readonly by: string } | null; // null: nobody knows
}

export interface Places {
  readonly service: string;
  readonly version: number;
  readonly nextTime: string;
  readonly freshUntil: string | null;
  readonly alerts: Readonly<Record<string, string>>;
  readonly datacenters: readonly Datacenter[];
  readonly edges: readonly Edge[];
}

export interface Intent {
  readonly id: string;
  readonly service?: string; // none: of every service
  readonly kind: string;
  readonly datacenter?: string;
  readonly author: string;
  readonly reason: string;
  readonly until: string | null;
}

export interface ControlPlaneView {
  readonly connection: 'connecting' | 'live' | 'lost';
  readonly services: readonly string[]; // that there are
  readonly service: string | null; // the one shown; null: not known yet
  readonly epochs: readonly Epoch[]; // ascending by number
  readonly places: Places | null;
  readonly intents: readonly Intent[];
}

const epochsKept = 576; // two days of five-minute epochs
const refreshMsMin = 1000; // an accelerated clock may end many epochs a second

/** Calls `show` with every new state; the first call comes at once. */
export function followControlPlane(show: (view: ControlPlaneView) => void): void {
  let view: ControlPlaneView = {
    connection: 'connecting',
    services: [],
    service: null,
    epochs: [],
    places: null,
    intents: [],
  };
  const update = (change: Partial<ControlPlaneView>): void => {
    view = { ...view, ...change };
    show(view);
  };
  /** Of the service shown. Nothing where another one is shown by the time it is here. */
  const ofService = async <Shape>(path: string): Promise<Shape | null> => {
    const { service } = view;
    if (service === null) return null;
    const said = await getJson<Shape>(`${path}${path.includes('?') ? '&' : '?'}service=${encodeURIComponent(service)}`);
    return view.service === service ? said : null;
  };
  const refresh = atMostEvery(refreshMsMin, async () => {
    const [places, { intents }] = await Promise.all([
      ofService<Places>('v1/edges'),
      getJson<{ intents: readonly Intent[] }>('v1/intents'),
    ]);
    const concerned = intents.filter(({ service }) => service === undefined || service === view.service);
    if (places) update({ places, intents: concerned });
  });
  const catchUp = async (): Promise<void> => {
    const last = view.epochs.at(-1);
    const since = last === undefined ? '' : `&since=${last.epoch}`;
    const missed = await ofService<{ epochs: readonly Epoch[] }>(`v1/epochs?limit=${epochsKept}${since}`);
    if (missed) update({ epochs: merged(view.epochs, missed.epochs) });
  };
  const follow = (): void => {
    catchUp().catch(() => update({ connection: 'lost' }));
    refresh();
  };
  const choose = (): void => {
    const named = decodeURIComponent(location.hash.slice(1));
    const service = view.services.includes(named) ? named : (view.services[0] ?? null);
    if (service !== view.service) update({ service, epochs: [], places: null });
    follow();
  };

  show(view);
  addEventListener('hashchange', choose);
  const events = new EventSource('v1/events');
  events.addEventListener('open', () => {
    update({ connection: 'live' });
    getJson<{ services: readonly { readonly service: string }[] }>('v1/services')
      .then(({ services }) => {
        update({ services: services.map(({ service }) => service) });
        choose();
      })
      .catch(() => update({ connection: 'lost' }));
  });
  events.addEventListener('error', () => update({ connection: 'lost' }));
  events.addEventListener('epoch', (event) => {
    const { service, ...epoch } = JSON.parse(event.data) as Epoch & { readonly service: string };
    update({ connection: 'live' });
    if (service !== view.service) return;
    update({ epochs: merged(view.epochs, [epoch]) });
    refresh();
  });
}

/** An epoch planned again replaces what was known of it and of any that followed. */
function merged(known: readonly Epoch[], news: readonly Epoch[]): readonly Epoch[] {
  const first = news[0];
  if (first === undefined) return known;
  return [...known.filter(({ epoch }) => epoch < first.epoch), ...news].slice(-epochsKept);
}

/** Runs `action` now or as soon as the pause is over; calls meanwhile count as one. A failure waits for the next call. */
function atMostEvery(pauseMs: number, action: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = (): void => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = false;
    action()
      .catch(() => undefined)
      .finally(() =>
        setTimeout(() => {
          running = false;
          if (again) run();
        }, pauseMs),
      );
  };
  return run;
}

async function getJson<Shape>(path: string): Promise<Shape> {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return (await response.json()) as Shape;
}
