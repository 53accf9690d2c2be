// What TypeScript says of single files: a line of JSON in, a line of JSON out, until the input ends.
//
//     node typescript_errors.mjs FOLDER      FOLDER/node_modules holds typescript and some types
//
// In: {"path": "/absolute/file.ts", "text": "what to take for its content"}. Out: [{"code", "message", "at"}], `at` in
// UTF-16 units. The file is read with the options of the nearest tsconfig.json and with everything of the project that
// it imports. Packages are sought in the project, then in FOLDER; one that is in neither is an error before and after.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const folder = resolve(process.argv[2])
const ts = createRequire(join(folder, 'x.js'))('typescript')
const SCRIPT = /<script\b[^>]*>([\s\S]*?)<\/script>/gi
const services = new Map()

/** The scripts of a component file, all else blanked out, so that every place stays where it is. */
function scriptsOf(path, text) {
  if (!/\.(vue|svelte)$/.test(path)) return text
  let kept = text.replace(/[^\r\n]/g, ' ')
  for (const found of text.matchAll(SCRIPT)) {
    const start = found.index + found[0].indexOf('>') + 1
    kept = kept.slice(0, start) + found[1] + kept.slice(start + found[1].length)
  }
  return kept
}

/** One edit may change several files: what a file of the project says is asked again where it was written again. */
function versionOf(name) {
  if (name.includes('/node_modules/')) return '0'
  return String(ts.sys.getModifiedTime(name)?.getTime() ?? 0)
}

function optionsFor(path) {
  const config = ts.findConfigFile(dirname(path), ts.sys.fileExists) ?? ''
  const read = config ? ts.readConfigFile(config, ts.sys.readFile).config ?? {} : {}
  const parsed = config ? ts.parseJsonConfigFileContent(read, ts.sys, dirname(config)) : { options: {}, fileNames: [] }
  const own = { noEmit: true, skipLibCheck: true, allowJs: true, checkJs: false, types: ['node'], composite: false,
    incremental: false, typeRoots: [join(folder, 'node_modules', '@types')], jsx: parsed.options.jsx ?? ts.JsxEmit.Preserve,
    target: parsed.options.target ?? ts.ScriptTarget.ES2022, moduleResolution: parsed.options.moduleResolution
      ?? ts.ModuleResolutionKind.Bundler, module: parsed.options.module ?? ts.ModuleKind.ESNext }
  return { config, options: { ...parsed.options, ...own }, ambient: parsed.fileNames.filter((name) => name.endsWith('.d.ts')) }
}

class Service {
  constructor({ options, ambient }) {
    this.texts = new Map()
    this.version = 0
    this.root = ''
    const inFolder = join(folder, 'x.ts')
    const host = {
      getCompilationSettings: () => options,
      getScriptFileNames: () => [this.root, ...ambient],
      getScriptVersion: (name) => (this.texts.has(name) ? String(this.version) : versionOf(name)),
      getScriptSnapshot: (name) => {
        const text = this.texts.get(name) ?? ts.sys.readFile(name)
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
      },
      getCurrentDirectory: () => dirname(this.root),
      getDefaultLibFileName: (some) => ts.getDefaultLibFilePath(some),
      fileExists: (name) => this.texts.has(name) || ts.sys.fileExists(name),
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      resolveModuleNameLiterals: (literals, from) => literals.map(({ text }) => {
        const found = ts.resolveModuleName(text, from, options, ts.sys)
        return found.resolvedModule ? found : ts.resolveModuleName(text, inFolder, options, ts.sys)
      }),
    }
    this.service = ts.createLanguageService(host)
  }

  errors(path, text) {
    const name = /\.(vue|svelte)$/.test(path) ? `${path}.ts` : path
    this.texts = new Map([[name, scriptsOf(path, text)]])
    this.root = name
    this.version += 1
    const found = [...this.service.getSyntacticDiagnostics(name), ...this.service.getSemanticDiagnostics(name)]
    return found.filter((one) => one.category === ts.DiagnosticCategory.Error).map((one) => ({
      code: one.code, message: ts.flattenDiagnosticMessageText(one.messageText, '\n'), at: one.start ?? 0,
    }))
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { path, text } = JSON.parse(line)
  let answer
  try {
    const { config, ...rest } = optionsFor(path)
    if (!services.has(config)) services.set(config, new Service(rest))
    answer = services.get(config).errors(path, text ?? readFileSync(path, 'utf8'))
  } catch (error) {
    answer = { failed: String(error?.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
