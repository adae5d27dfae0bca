/** Weights as load balancers have them: read as they act, and refused where they are of something else. */

import { describe, expect, test } from 'vitest';
import { balancerWeights } from '../../../pipeline/formats/balancer-weights.ts';

const weights = (text: string, cluster: string | null = null) =>
  Object.fromEntries(balancerWeights(text, cluster, 'file'));

describe('BFE', () => {
  const gslb = JSON.stringify({
    Clusters: { web: { GSLB_BLACKHOLE: 10, 'idc.bj': 60, 'idc.gz': 30 }, chat: { 'idc.bj': 1 } },
    Hostname: 'gslb.example',
    Ts: '20260305120000',
  });

  test('the weights of a cluster, without the black hole', () => {
    expect(weights(gslb, 'web')).toEqual({ 'idc.bj': 60, 'idc.gz': 30 });
    expect(weights(JSON.stringify({ Clusters: { chat: { 'idc.bj': 1 } } }))).toEqual({ 'idc.bj': 1 });
  });

  test('of several clusters one has to be named, and one that is there', () => {
    expect(() => weights(gslb)).toThrow('file: has the clusters web, chat; name one with --cluster');
    expect(() => weights(gslb, 'wob')).toThrow('file: no cluster "wob" (did you mean "web"?); it has web, chat');
    expect(() => weights('{"Clusters": {"a": {"b": "60"}}}')).toThrow('weight of b is "60", expected a number');
    expect(() => weights('{"Clusters": 5}')).toThrow('file: Clusters is no object');
  });
});

describe('HAProxy', () => {
  const state = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
3 nocookie 1 frankfurt 127.0.0.1 2 0 60 100 5
3 nocookie 2 dublin 127.0.0.1 0 0 30 100 5
3 nocookie 3 ashburn 127.0.0.1 2 1 10 100 5
4 other 1 frankfurt 127.0.0.1 2 0 1 1 5
`;

  test('of the state, weights in force; who was taken out weighs 0, who is down what it would', () => {
    expect(weights(state, 'nocookie')).toEqual({ frankfurt: 60, dublin: 30, ashburn: 0 });
    expect(() => weights(state)).toThrow('file: has the backends nocookie, other; name one with --cluster');
  });

  test('of the statistics, weights in force; backups and who was taken out weigh 0, who has no address what it would', () => {
    const stat = `# pxname,svname,status,weight,act,bck,type,last_chk,uweight,
users,FRONTEND,OPEN,,,,0,,,
web,frankfurt,UP,30,1,0,2,"one, two",60,
web,dublin,UP 1/3,5,0,1,2,,5,
web,ashburn,DRAIN,10,1,0,2,,10,
web,tokyo,MAINT (via web/ashburn),10,1,0,2,,10,
web,paris,MAINT (resolution),10,1,0,2,,10,
web,BACKEND,UP,60,1,1,1,,60,
`;
    expect(weights(stat)).toEqual({ frankfurt: 60, dublin: 0, ashburn: 0, tokyo: 0, paris: 10 });
    expect(() => weights(stat.replace('bck', 'b'))).toThrow('file:1: no column bck, expected what "show stat" prints');
  });

  test('of the configuration, server lines: 1 where none is stated, backups and disabled ones 0', () => {
    const configuration = `defaults
  server nobody 127.0.0.1:1
backend web # of users
  balance random
  server frankfurt 127.0.0.1:9001 weight 60 check
  server dublin 127.0.0.1:9002
  server ashburn 127.0.0.1:9003 weight 20 backup
  server tokyo 127.0.0.1:9004 disabled
`;
    expect(weights(configuration)).toEqual({ frankfurt: 60, dublin: 1, ashburn: 0, tokyo: 0 });
    const byDefault =
      'defaults\n default-server weight 5\nbackend a\n default-server disabled\n server x 1.2.3.4:5 enabled\n';
    expect(weights(`${byDefault}  server y 1.2.3.4:6\n`)).toEqual({ x: 5, y: 0 });
    expect(() => weights(`${byDefault}  server-template z 1-3 z.example:80\n`)).toThrow(
      'file:6: a server-template is not read; give what "show stat" prints instead',
    );
    expect(() => weights('backend a\n  server x 1.2.3.4:5 weight many\n')).toThrow(
      'file:2: weight of server "x" is NaN',
    );
    expect(() => weights('backend a\n  server x 1.2.3.4:5\n  server x 1.2.3.4:6\n')).toThrow(
      '"x" is given twice in "a"',
    );
  });
});

describe('Envoy', () => {
  const route = (name: string, key = 'weighted_clusters') => ({
    name,
    routes: [
      {
        match: { prefix: '/' },
        route: {
          [key]: { clusters: [{ name: 'frankfurt', weight: 60 }, { name: 'dublin', weight: 40 }, { name: 'tokyo' }] },
        },
      },
    ],
  });

  test('weighted clusters wherever they stand, spelled either way; what is left out is 0', () => {
    const expected = { frankfurt: 60, dublin: 40, tokyo: 0 };
    expect(weights(JSON.stringify({ virtual_hosts: [route('web')] }))).toEqual(expected);
    const dump = { configs: [{ route_config: { virtualHosts: [route('web', 'weightedClusters'), route('chat')] } }] };
    expect(weights(JSON.stringify(dump), 'chat')).toEqual(expected);
    const twice = (weight: number) => {
      const again = route('chat');
      again.routes[0]!.route['weighted_clusters']!.clusters[0]!.weight = weight;
      return JSON.stringify({ bootstrap: route('chat'), configs: [again] });
    };
    expect(weights(twice(60))).toEqual(expected);
    expect(() => weights(twice(50))).toThrow('chat has weighted clusters twice, and they differ; keep one of them');
    expect(() => weights('{"weighted_clusters": {"runtime_key_prefix": "x", "clusters": []}}')).toThrow(
      'file: runtime_key_prefix lets the runtime say other weights; write those into a CSV',
    );
    expect(() => weights(JSON.stringify(dump))).toThrow('has the routes web, chat; name one with --cluster');
  });
});

test('what is of no balancer that is read is refused, with what is', () => {
  for (const text of ['edge,datacenter,weight\nfra,a,1\n', 'split_clients $x $dc { 60% a; * b; }', '']) {
    expect(() => weights(text)).toThrow(
      /^file: weights of no load balancer that is read here, expected BFE's gslb.data/,
    );
  }
  expect(() => weights('{"upstreams": []}')).toThrow('file: JSON of neither BFE ("Clusters") nor an Envoy route');
  expect(() => weights('{"Clusters": ')).toThrow('file: begins like JSON and is none');
});
