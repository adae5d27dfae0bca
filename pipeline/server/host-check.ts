/** Which names clients may call this server by. A page elsewhere can point a name of its own at 127.0.0.1 (DNS
 *  rebinding) and read or post through the visitor's browser; it cannot change the Host header, which then names it. */

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** `allowed`: names without port, besides the loopback ones. */
export function allowedHosts(allowed: readonly string[]): ReadonlySet<string> {
  return new Set([...loopbackNames, ...allowed.map(bracketed)].map((name) => name.toLowerCase()));
}

/** `header`: `name`, `name:port`, `[v6]` or `[v6]:port`. */
export function isAllowedHost(header: string | undefined, allowed: ReadonlySet<string>): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(:\d{1,5})?$/i.exec(header ?? '');
  if (!match) return false;
  return allowed.has(match[1]!.toLowerCase().replace(/\.$/, ''));
}

function bracketed(name: string): string {
  return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
}
