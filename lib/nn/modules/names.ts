/** The names of a module's properties in state dicts. */

const known = new Map<string, string>();

/**
 * A property's name as Python has it: `inProjWeight` as `in_proj_weight`, `weightIhL0` as `weight_ih_l0`. What begins with
 * a capital stays as it is.
 */
export function stateName(property: string): string {
  let name = known.get(property);
  if (name === undefined) {
    name = /^[A-Z]/.test(property)
      ? property
      : property
          .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
          .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
          .toLowerCase();
    known.set(property, name);
  }
  return name;
}
