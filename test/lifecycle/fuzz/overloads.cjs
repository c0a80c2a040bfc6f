const { native } = require('../../../dist/binding/load.js');

/** Every overload of aten: the operator's name, and which of its schemas. */
exports.overloads = () => {
  const names = native()
    .operatorNames()
    .filter((name) => name.startsWith('aten::'));
  const operators = [...new Set(names.map((name) => name.split('.')[0]))].sort();
  return operators.flatMap((name) =>
    native()
      .operatorSchemas(name)
      .map((_, i) => [name, i]),
  );
};
