/** The page from top to bottom: state of the control plane, utilization, datacenters, churn, where edges go, epochs. */

import { ChurnPlot } from './churn-plot.tsx';
import type { ControlPlaneView } from './control-plane.ts';
import { Datacenters } from './datacenters.tsx';
import { Epochs } from './epochs.tsx';
import { Fractions } from './fractions.tsx';
import { Summary } from './summary.tsx';
import { UtilizationPlot } from './utilization-plot.tsx';

export function Page({ view }: { view: ControlPlaneView }) {
  const { places, epochs, intents } = view;
  return (
    <>
      <Summary view={view} />
      {places === null ? (
        <p class="empty">Waiting for the control plane.</p>
      ) : (
        <div class="panels">
          <UtilizationPlot epochs={epochs} names={places.datacenters.map(({ datacenter }) => datacenter)} />
          <Datacenters datacenters={places.datacenters} intents={intents} last={epochs.at(-1)} />
          <ChurnPlot epochs={epochs} />
          <Epochs epochs={epochs} />
          <Fractions edges={places.edges} datacenters={places.datacenters} />
        </div>
      )}
    </>
  );
}
