/** Limits of telemetry as a policy would state them, for tests that are not about the limits. */

import type { TelemetryLimits } from '../runtime/judge-telemetry.ts';

export const limits: TelemetryLimits = {
  ageMsMax: 600_000,
  fillMsMax: 1_800_000,
  filledShareMax: 0.5,
  jumpFactorMax: 10,
  rttJumpFactorMax: 4,
  allocationGapMax: 0.1,
};
