// A plugin of typedoc. What the code documents once, the reference shows at every place that shares it: operators as
// methods of tensors, options as properties of modules, the forms of a loss, the gradients of the reference losses.
import { Comment, Converter, ReflectionKind } from 'typedoc';
import ts from 'typescript';

/** The forms of a loss, by the function of `lib/nn/losses/forms.ts` that makes and documents them. */
const forms = { item: 'itemForm', out: 'outForm', async: 'asyncForm' };

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project, programs }) => {
    const functions = new Map(
      project.getReflectionsByKind(ReflectionKind.Function).map((reflection) => [reflection.name, reflection]),
    );
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Class)) {
      if (reflection.name === 'Tensor') shareOperators(reflection, functions);
      shareOptions(reflection);
    }
    const texts = formTexts(programs);
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      if (property.comment !== undefined) continue;
      const text = property.parent.name in forms ? undefined : (texts[property.name] ?? gradientText(property));
      if (text !== undefined) property.comment = plain(text);
    }
  });
}

/** Gives each method the comment of the operator of its name. */
function shareOperators(tensor, functions) {
  for (const property of tensor.children ?? []) {
    const operator = functions.get(property.name)?.signatures?.[0];
    if (operator?.comment === undefined || property.comment !== undefined) continue;
    const comment = operator.comment.clone();
    // The tensor itself is the first parameter, and a method made by inference may have lost the names of the others.
    const method = property.type?.type === 'reflection' ? property.type.declaration.signatures?.[0] : undefined;
    const names = new Set(method?.parameters?.map(({ name }) => name));
    comment.blockTags = comment.blockTags.filter(({ tag, name }) => tag !== '@param' || names.has(name));
    property.comment = comment;
  }
}

/** Gives each property of a module the comment of the option that it keeps. */
function shareOptions(module) {
  const made = module.children?.find(({ kind }) => kind === ReflectionKind.Constructor);
  const options = made?.signatures?.[0]?.parameters?.find(({ name }) => name === 'options');
  // `HuberLossOptions`, or `Omit<HuberLossOptions, 'weight'>`
  const type = [options?.type, options?.type?.typeArguments?.[0]].find(
    (candidate) => candidate?.reflection,
  )?.reflection;
  for (const property of module.children ?? []) {
    const option = type?.children?.find(({ name }) => name === property.name);
    if (property.comment === undefined && option?.comment !== undefined) property.comment = option.comment.clone();
  }
}

/** What `forms.ts` says of each form. */
function formTexts(programs) {
  const file = programs
    .flatMap((program) => program.getSourceFiles())
    .find(({ fileName }) => /\/losses\/forms\.ts$/.test(fileName));
  const texts = {};
  for (const [name, maker] of Object.entries(forms)) {
    const made = file.statements.find(
      (statement) => ts.isFunctionDeclaration(statement) && statement.name.text === maker,
    );
    texts[name] = ts.getTextOfJSDocComment(ts.getJSDocCommentsAndTags(made).at(-1).comment);
  }
  return texts;
}

/** What a property of the result of `backward()` in the reference is. */
function gradientText(property) {
  const holder = property.parent.name === '__type' ? property.parent.parent : property.parent;
  const isGradient =
    property.parent.name === '__type' ? holder.kind !== ReflectionKind.TypeAlias : /Gradients$/.test(holder.name);
  return isGradient ? `The gradient by \`${property.name}\`.` : undefined;
}

function plain(text) {
  return new Comment([{ kind: 'text', text }]);
}
