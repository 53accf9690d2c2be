// What ESLint and the plugins beside it can say of connlint's subjects without a rule of one's own. Plugins are found
// from here, so the benchmark copies this file into the folder where they are installed.
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import webApi from 'eslint-plugin-react-web-api'
import tseslint from 'typescript-eslint'

const own = '/(^|[^\\w.-])(localhost|127(\\.\\d+){3}|::1)($|[^\\w.-])/'
const environment = ':has(MemberExpression[property.name="env"])'
const either = ['LogicalExpression.right', 'ConditionalExpression.alternate']
const fallback = either.flatMap((where) => {
  const [kind, field] = where.split('.')
  const above = `${kind}${environment}`
  return [`${above} > Literal.${field}[value=${own}]`, `${above} > TemplateLiteral.${field} > TemplateElement[value.raw=${own}]`]
})
const later = ':not(:function *):not(PropertyDefinition *)'
const clients = '/^(Pool|PrismaClient|MongoClient|Sequelize|DataSource|Redis|IORedis)$/'
const restricted = [
  ...fallback.map((selector) => ({ selector, message: 'fallback' })),
  { selector: 'ExpressionStatement > CallExpression[callee.name="setInterval"]', message: 'timer' },
  { selector: 'ExpressionStatement > CallExpression[callee.property.name="setInterval"]', message: 'timer' },
  { selector: `NewExpression[callee.name=${clients}]${later}`, message: 'client' },
  { selector: `NewExpression[callee.property.name=${clients}]${later}`, message: 'client' },
  { selector: `CallExpression[callee.property.name="createPool"]${later}`, message: 'client' },
]
const extensions = ['.js', '.jsx', '.mjs', '.cjs', '.ts', '.tsx', '.json']

export default [
  { ignores: ['**/node_modules/**', '**/*.min.js', '**/*.d.ts'] },
  {
    files: ['**/*.{js,jsx,mjs,cjs,ts,tsx,mts,cts}'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { ecmaFeatures: { jsx: true }, sourceType: 'module' },
    },
    plugins: { 'import-x': importX, 'react-web-api': webApi },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': extensions.slice(0, -1) },
      'import-x/resolver-next': [createTypeScriptImportResolver(), createNodeResolver({ extensions })],
    },
    rules: {
      'no-restricted-syntax': ['error', ...restricted],
      'react-web-api/no-leaked-interval': 'error',
      'react-web-api/no-leaked-event-listener': 'error',
      'import-x/named': 'error',
      'import-x/no-unresolved': ['error', { commonjs: true, ignore: ['^[^.]'] }],
    },
  },
]
