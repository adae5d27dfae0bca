/** The name somebody probably meant: fewest letters changed (Levenshtein), ties by order of the candidates. */

/** ` (did you mean "x"?)`, or nothing where no candidate is near (a third of the letters; two swapped ones always). */
export function didYouMean(found: string, candidates: Iterable<string>): string {
  if (found.length > 64) return '';
  let best = '';
  let bestDistance = (found.length < 4 ? 1 : Math.max(2, Math.floor(found.length / 3))) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - found.length) >= bestDistance) continue;
    const distance = editDistance(found.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === '' ? '' : ` (did you mean "${best}"?)`;
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
