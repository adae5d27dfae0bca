/** Figures as people read them, on pages and on the command line: as many decimals as are worth reading, and never so few
 *  that something reads as nothing. */

/** To so many decimals, and to more where fewer than two digits would be left of what is not 0. */
export function rounded(value: number, decimals: number): string {
  const exponent = Number(value.toExponential(1).split('e')[1]); // after rounding: .00996 is 1.0e-2
  return value.toFixed(Math.max(decimals, 1 - exponent));
}

export function percent(share: number): string {
  return `${rounded(100 * share, 2)} %`;
}
