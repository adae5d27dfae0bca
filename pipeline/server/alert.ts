/** Why somebody should look. Every reason is `taiji_alert_active{reason}` = 1 while it lasts, one log line when it
 *  starts and ends, and a rule in docs/alerts/taiji.rules.yaml (a test holds the two lists together). */

export const alertReasons = [
  'journal-failing', // epochs are not recorded; traffic is steered all the same
  'store-failing', // the table is served from memory; a restart would fall back to the last stored one
  'store-damaged', // a stored value failed its checksum at start; the newest whole version serves
  'lock-failing', // the data directory's lock cannot be renewed
  'telemetry-failing', // no demand or states to plan on; the last table stays
  'telemetry-partial', // some values are missing or not to be believed; their last good ones stand in
  'service-unhealthy', // bad service metrics of a datacenter, which move nobody
  'allocation-contradicting', // edges send users elsewhere than the table says
  'plan-failed', // planning threw; the last table stays
  'plan-held', // planning refused to decide; the last table stays
  'held-long', // whatever holds, fails or is rejected has gone on for six epochs in a row
  'plan-rejected', // a candidate failed validation; the last table stays
  'solver-disagreement', // the two solvers claim different minima of one program; a certificate decided
  'publication-waiting', // a plan waits for an operator, or was refused
  'publication-pinned', // somebody went back to an earlier version; nothing moves by choice until somebody resumes
  'canary-undecided', // the canary's time is over and nobody can say; its table stays where it is
  'tree-move-stuck', // users are between two trees, and nobody has passed for an hour of epochs
  'canary-returned', // a canary failed: its edges are back on the version before, and nothing moves by choice
  'limits-relaxed', // a stated limit had to give
  'epoch-overrun', // epochs take longer than their period
  'table-stale', // edges were promised a fresher table than this
] as const;

export type AlertReason = (typeof alertReasons)[number];

/** Reason -> what is wrong now, in words. */
export type Alerts = ReadonlyMap<AlertReason, string>;

export function withAlert(alerts: Alerts, reason: AlertReason, message: string | null): Alerts {
  if (message === null ? !alerts.has(reason) : alerts.get(reason) === message) return alerts;
  const next = new Map(alerts);
  if (message === null) next.delete(reason);
  else next.set(reason, message);
  return next;
}
