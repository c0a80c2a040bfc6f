/** A line search with the strong conditions of Wolfe, as PyTorch's L-BFGS has it. */
import type { Tensor } from '../torch/tensor';
import { isAtMost, isLess, largest, magnitude, minus, type Numeric, over, plus, smallest, times } from './arithmetic';

/** A place on the line, with the loss, the gradient, and the slope along the line there. */
export interface Place {
  readonly at: Numeric;
  readonly loss: number;
  readonly gradient: Tensor;
  readonly slope: Tensor;
}

/** What a search is given. */
export interface Search {
  readonly direction: Tensor;
  readonly start: Omit<Place, 'at'>;
  /** The first place to try. */
  readonly first: Numeric;
  readonly toleranceChange: number;
  /** How many places may be tried. */
  readonly most: number;
  /** Loss and gradient at a place. */
  evaluate(at: Numeric): Place;
  /** Computes, and keeps what comes of it as long as the search. */
  compute<T>(fn: () => T): T;
}

const sufficientDecrease = 1e-4;
const curvature = 0.9;

/** The least point between two of a cubic function that has their values and slopes; within `bounds`, or between them. */
function interpolate(a: Place, b: Place, bounds?: readonly [Numeric, Numeric]): Numeric {
  const isOrdered = isAtMost(a.at, b.at);
  const [low, high] = bounds ?? (isOrdered ? [a.at, b.at] : [b.at, a.at]);
  const d1 = minus(plus(a.slope, b.slope), over(times(3, a.loss - b.loss), minus(a.at, b.at))) as Tensor;
  const square = minus(d1.pow(2), times(a.slope, b.slope)) as Tensor;
  if (!isAtMost(0, square)) return over(plus(low, high), 2);
  const d2 = square.sqrt();
  const [near, far] = isOrdered ? [a, b] : [b, a];
  const share = over(minus(plus(far.slope, d2), d1), plus(minus(far.slope, near.slope), times(2, d2)));
  const least = minus(far.at, times(minus(far.at, near.at), share));
  return smallest(largest(least, low), high);
}

const isTooHigh = ({ loss, at }: Place, { start }: Search): boolean =>
  isLess(plus(start.loss, times(times(sufficientDecrease, at), start.slope)), loss);

const isFlat = ({ slope }: Place, { start }: Search): boolean =>
  isAtMost(magnitude(slope), times(-curvature, start.slope));

/** Two places with the point between them, or one that is it. */
interface Bracket {
  readonly places: Place[];
  readonly isDone: boolean;
  /** How many places were tried. */
  readonly tried: number;
}

/** Goes along the line until there is a bracket. */
function enclose(search: Search): Bracket {
  const { start, compute } = search;
  let before: Place = { at: 0, ...start };
  let place = search.evaluate(search.first);
  for (let i = 0; i < search.most; i++) {
    const isBeyond = compute(() => isTooHigh(place, search)) || (i > 1 && place.loss >= before.loss);
    if (isBeyond) return { places: [before, place], isDone: false, tried: i };
    if (compute(() => isFlat(place, search))) return { places: [place], isDone: true, tried: i };
    if (compute(() => isAtMost(0, place.slope))) return { places: [before, place], isDone: false, tried: i };
    const next = compute(() => {
      const least = plus(place.at, times(0.01, minus(place.at, before.at)));
      return interpolate(before, place, [least, times(place.at, 10)]);
    });
    before = place;
    place = search.evaluate(next);
  }
  return { places: [{ at: 0, ...start }, place], isDone: false, tried: search.most };
}

/** The place to try next in a bracket; away from its ends where there was no progress before. */
function tried(places: readonly [Place, Place], isStuck: boolean): { at: Numeric; isStuck: boolean } {
  const [a, b] = places;
  const [low, high] = [smallest(a.at, b.at), largest(a.at, b.at)];
  const at = interpolate(a, b);
  const margin = times(0.1, minus(high, low));
  if (!isLess(smallest(minus(high, at), minus(at, low)), margin)) return { at, isStuck: false };
  if (!isStuck && !isAtMost(high, at) && !isAtMost(at, low)) return { at, isStuck: true };
  const isNearHigh = isLess(magnitude(minus(at, high)), magnitude(minus(at, low)));
  return { at: isNearHigh ? minus(high, margin) : plus(low, margin), isStuck: false };
}

/** Narrows a bracket until its lower end meets the conditions. */
function narrow(search: Search, { places, isDone, tried: count }: Bracket): Place {
  const { compute } = search;
  const lowest = (): number => ((places[0] as Place).loss <= (places.at(-1) as Place).loss ? 0 : 1);
  let low = lowest();
  let isStuck = false;
  const size = compute(() => search.direction.abs().max());
  for (let i = count; !isDone && i < search.most; i++) {
    const [a, b] = places as [Place, Place];
    const isSmall = (): boolean => isLess(times(magnitude(minus(b.at, a.at)), size), search.toleranceChange);
    if (compute(isSmall)) break;
    const next = compute(() => tried([a, b], isStuck));
    isStuck = next.isStuck;
    const place = search.evaluate(next.at);
    const lowPlace = places[low] as Place;
    if (compute(() => isTooHigh(place, search)) || place.loss >= lowPlace.loss) {
      places[1 - low] = place;
      low = lowest();
      continue;
    }
    const isEnd = compute(() => isFlat(place, search));
    const highPlace = places[1 - low] as Place;
    const isRising = (): boolean => isAtMost(0, times(place.slope, minus(highPlace.at, lowPlace.at)));
    if (!isEnd && compute(isRising)) places[1 - low] = lowPlace;
    places[low] = place;
    if (isEnd) break;
  }
  return places[low] as Place;
}

/** A place on the line that meets the conditions of Wolfe, as near as `most` places come to one; how many were tried. */
export function strongWolfe(search: Search): Place & { evaluations: number } {
  let evaluations = 0;
  const counted: Search = {
    ...search,
    evaluate: (at) => {
      evaluations += 1;
      return search.evaluate(at);
    },
  };
  const place = narrow(counted, enclose(counted));
  return { ...place, evaluations };
}
