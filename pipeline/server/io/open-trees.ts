/** Where a service's users are between trees when a start finds it. The config names a tree; which one users are on is what
 *  was published last, for operators activate trees without touching the config. So the config's tree counts as a wish
 *  where it is another one than at the last start (a refresh was put there): then users pass to it as by an activation,
 *  paced. A config left alone undoes nobody's activation.
 *  Declined: switching at the start, which moves at once whomever the trees tell apart, on the word of a file that a job
 *  may have replaced in the night; refusing to start, which leaves nobody to evacuate a datacenter. */

import { strict as assert } from 'node:assert';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import { atOnce } from '../../../config/steps.ts';
import type { Published } from '../../publish/publisher.ts';
import type { PublishedTrees } from '../../publish/snapshot.ts';
import { courseOf, type TreeCourse, type TreePlaces, towards } from '../../table/tree-course.ts';
import { ServiceTrees, shortly } from '../service-trees.ts';
import { messageOf } from './data-directory.ts';
import type { RoutingObjects } from './objects.ts';
import type { StatedService } from './stated-services.ts';
import type { TreeShelf } from './tree-shelf.ts';

export interface OpenedTrees {
  readonly trees: ServiceTrees;
  readonly notes: readonly string[]; // what somebody should know
}

/** `nowMs`: wall clock. Throws a ConfigError where users are on a tree that is nowhere to be found. */
export async function openTrees(
  stated: Pick<StatedService, 'tree' | 'treeFile' | 'weights'>,
  { head, snapshot }: Published,
  { shelf, objects }: { readonly shelf: TreeShelf; readonly objects: RoutingObjects },
  places: TreePlaces,
  nowMs: number,
): Promise<OpenedTrees> {
  const { tree, treeFile, weights } = stated;
  const found = head?.trees ?? (snapshot ? await byTable(snapshot.treeVersion, tree, shelf) : null);
  const fresh: PublishedTrees = {
    course: { kind: 'settled', tree: tree.version, before: null },
    asked: null,
    stated: tree.version,
  };
  const { course: plain, asked, stated: before } = found ?? fresh;
  const treeOf = (version: string): BucketTree =>
    version === tree.version ? tree : readFrom(shelf, version, treeFile);
  const course = courseOf(plain, treeOf, places);
  const routing = course.kind === 'settled' && course.tree === tree ? { tree, weights } : null;
  const opened = (
    now: TreeCourse,
    by = asked,
    statedNow = tree.version,
    notes: readonly string[] = [],
  ): OpenedTrees => ({
    trees: new ServiceTrees(places, { course: now, asked: by, stated: statedNow }, now === course ? routing : null),
    notes,
  });
  const unkept = await objects.keepTree(tree).then(() => null, messageOf); // before the head names it
  if (tree.version === before || isOn(course, tree)) return opened(course);
  if (unkept !== null)
    return opened(course, asked, before, [`${treeFile}: the tree waits: it cannot be stored: ${unkept}`]);
  if (course.kind === 'moving') {
    const way = `users are between trees ${shortly(course.move.from.version)} and ${shortly(course.move.to.version)}`;
    const mend = 'restart once they have arrived, or taiji tree activate it then';
    return opened(course, asked, before, [`${treeFile}: the tree waits: ${way}; ${mend}`]);
  }
  const by = { author: 'config', reason: `${treeFile} was replaced`, sinceMs: nowMs };
  const from = shortly(course.tree.version);
  const note = `${treeFile}: another tree than at the last start: users pass to it from ${from}, as churnMax allows`;
  return opened(towards(course.tree, tree, places), by, tree.version, [note]);
}

/** Is everybody on the tree, or on their way there? */
function isOn(course: TreeCourse, { version }: BucketTree): boolean {
  if (course.kind === 'settled') return course.tree.version === version;
  const { move, direction } = course;
  return version === (direction === 'on' ? move.to : move.from).version;
}

/** Of a store that an older Taiji wrote: the tree that the table is of. Where nobody kept it, there is nothing to pace by,
 *  and the config's tree takes over as it did then. */
async function byTable(treeVersion: string, tree: BucketTree, shelf: TreeShelf): Promise<PublishedTrees | null> {
  if (treeVersion === tree.version || !(await shelf.has(treeVersion))) return null;
  return { course: { kind: 'settled', tree: treeVersion, before: null }, asked: null, stated: treeVersion };
}

function readFrom(shelf: TreeShelf, version: string, treeFile: string): BucketTree {
  try {
    return atOnce(shelf.reading(version));
  } catch (error) {
    assert(error instanceof ConfigError);
    throw new ConfigError(
      `users are on tree ${version}, and ${error.message}; put its file there or at ${treeFile}, then start again`,
    );
  }
}
