/** Processes that evaluate shards at once and tell one another what they found. */
import { destroyProcessGroup, gatherObject, initProcessGroup, newGroup, type ProcessGroup } from '../distributed';

/** How long the others may take to start, and to evaluate what falls to them, in milliseconds. */
const [toStart, toEvaluate] = [5 * 60_000, 7 * 24 * 60 * 60_000];

/** The processes of a launcher that sets the variables of torchrun. */
export class Ranks {
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup) {
    this.#group = group;
  }

  /**
   * Meets the other processes.
   *
   * @throws TorchError `DISTRIBUTED` if they do not come within five minutes.
   */
  static async join(): Promise<Ranks> {
    await initProcessGroup('gloo', { timeout: toStart });
    try {
      return new Ranks(await newGroup(null, { timeout: toEvaluate }));
    } catch (error) {
      await destroyProcessGroup();
      throw error;
    }
  }

  /**
   * The states of all ranks, with names for messages; `undefined` on ranks other than 0.
   *
   * @throws TorchError `DISTRIBUTED` if a rank has ended before.
   */
  async gather(state: string): Promise<(readonly [name: string, text: string])[] | undefined> {
    const isFirst = this.#group.rank() === 0;
    const all: unknown[] = [];
    await gatherObject(state, isFirst ? all : null, 0, this.#group);
    return isFirst ? all.map((text, rank) => [`rank ${rank}`, text as string]) : undefined;
  }

  /** Leaves the others alone. */
  async leave(): Promise<void> {
    await destroyProcessGroup();
  }
}
