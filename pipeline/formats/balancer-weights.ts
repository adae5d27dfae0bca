/** Today's weights of one edge, in the words of its own load balancer. One that is not known is refused by name: a guess at
 *  weights is a guess at where users are. Declined: nginx (`split_clients`, `upstream`) and weights in Lua or VCL, which are
 *  programs; write their numbers into a CSV. */

import { ConfigError } from '../../config/errors.ts';
import { bfeWeights } from './bfe-weights.ts';
import { envoyWeights } from './envoy-weights.ts';
import { haproxyWeights, isHaproxy } from './haproxy-weights.ts';

/** By what the balancer calls the places it sends users to. `cluster`: which of several in the file; null: the only one. Throws a ConfigError that starts with `where`. */
export function balancerWeights(text: string, cluster: string | null, where: string): ReadonlyMap<string, number> {
  if (/^\s*[{[]/.test(text)) {
    const document = parseJson(text, where);
    if (typeof document === 'object' && document !== null && 'Clusters' in document) {
      return bfeWeights(document.Clusters, cluster, where);
    }
    return envoyWeights(document, cluster, where);
  }
  if (isHaproxy(text)) return haproxyWeights(text, cluster, where);
  throw new ConfigError(
    `${where}: weights of no load balancer that is read here, expected BFE's gslb.data, HAProxy's "show stat" or its configuration, or an Envoy route with weighted_clusters; a CSV names its edges itself and is given without "EDGE="`,
  );
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${where}: begins like JSON and is none (${(error as Error).message})`);
  }
}
