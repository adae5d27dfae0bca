/** Which service a request is about: the one in its path, or the one it names in `?service=`. With one service there is
 *  nothing to name. */

import { didYouMean } from '../../../config/did-you-mean.ts';
import { HttpProblem } from '../problem.ts';
import type { ControlPlaneView, ServiceView } from './control-plane-view.ts';

/** Of a path. Throws a 404 that says which ones there are. */
export function serviceAt({ services }: ControlPlaneView, name: unknown): ServiceView {
  const text = String(name);
  const found = services.get(text);
  if (found) return found;
  const names = [...services.keys()];
  const here = names.length === 1 ? `this is "${names[0]}"` : `here are ${names.join(', ')}`;
  throw new HttpProblem(
    404,
    `service ${JSON.stringify(text.slice(0, 80))} is not here${didYouMean(text, names)}; ${here}`,
  );
}

/** Of a query; null where none is named. */
export function serviceNamed(view: ControlPlaneView, query: unknown): ServiceView | null {
  return query === undefined ? null : serviceAt(view, query);
}

/** Of a query that is about one service. Throws a 400 where there are several and none is named. */
export function serviceAsked(view: ControlPlaneView, query: unknown): ServiceView {
  const named = serviceNamed(view, query);
  if (named) return named;
  const [only, ...others] = view.services.values();
  if (others.length === 0) return only!;
  throw new HttpProblem(400, `no service is named, expected ?service= one of ${[...view.services.keys()].join(', ')}`);
}
