/**
 * The dependency rule of the design (docs/architecture.md), one way down:
 *
 *   domain <- operations, ports <- engine <- aws, memory, client <- functions, cli, console, demo, bench
 *
 * and infra beside them, which knows functions only as entry files. Each part lists what it may import of
 * ours; anything else of ours is forbidden. Imports of types count: a type is knowledge too.
 */
const may = {
  'shared/domain': [],
  'shared/operations': ['shared/domain', 'shared/ports'],
  'shared/ports': ['shared/domain'],
  'shared/engine': ['shared/domain', 'shared/operations', 'shared/ports'],
  'shared/aws': ['shared/domain', 'shared/operations', 'shared/ports', 'shared/engine'],
  'shared/memory': ['shared/domain', 'shared/operations', 'shared/ports', 'shared/engine'],
  'shared/client': ['shared/domain', 'shared/operations', 'shared/ports', 'shared/engine', 'shared/aws'],
  infra: ['shared/domain'],
  functions: ['shared'],
  cli: ['shared'],
  console: ['shared'],
  demo: ['shared', 'cli'],
  bench: ['shared', 'cli'],
}

const anywhere = (folders) => `^(${folders.join('|')})/`

const ours = anywhere(['shared', 'infra', 'functions', 'cli', 'console', 'demo', 'bench', 'test'])

const layers = Object.entries(may).map(([layer, allowed]) => ({
  name: `what-${layer.replace('/', '-')}-may-import`,
  comment: `May import of ours: ${allowed.join(', ') || 'nothing'}. Move what is shared down, or pass it in.`,
  severity: 'error',
  from: { path: anywhere([layer]) },
  to: { path: ours, pathNot: anywhere([layer, ...allowed]) },
}))

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'functions-do-not-share',
      comment:
        'A function imports no other function: what two of them need lies beside their folders, or in shared/.',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/[^/]+/', pathNot: '^functions/$1/' },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module, or lack a third one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'What runs for users must not depend on what is there for tests.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that leads nowhere: write the extension (.ts), and see "imports" in package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that package.json does not list comes and goes with those that bring it along.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API in JavaScript, so swc parses. Without a parser the tool would find no
    // .ts file at all, and report that all is well; test/unit/tooling checks that it finds what it should.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(cdk\\.out|\\.local)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
