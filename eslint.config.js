import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

/** The rooms of src/, from the bottom to the top: a room imports only from rooms above it in this list. */
const rooms = [
  'model',
  'system',
  'chroot',
  'config',
  'artifact',
  'jenkins',
  'store',
  'signing',
  'gentoo',
  'arch',
  'publish',
  'serve',
  'upload',
  'git',
  'agent',
  'machines',
  'recipes',
  'doctor',
  'pipeline',
  'step',
  'cli',
]

const effects = [
  { group: ['node:fs', 'node:fs/*', 'fs', 'node:child_process', 'node:net', 'node:http', 'node:https'] },
  { group: ['execa'] },
]

const oneWay = rooms.map((room, index) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...rooms.slice(index + 1).map((higher) => ({
            group: [`**/${higher}/*`],
            message: `${room}/ lies below ${higher}/: see "Rooms" in docs/architecture.md`,
          })),
          ...(room === 'system'
            ? []
            : effects.map((effect) => ({ ...effect, message: 'effects live in src/system/ only' }))),
        ],
      },
    ],
    'no-restricted-globals':
      room === 'system'
        ? 'off'
        : ['error', ...['fetch', 'setTimeout', 'setInterval'].map((name) => ({ name, message: 'use src/system/' }))],
    'no-restricted-properties':
      room === 'system' || room === 'cli'
        ? 'off'
        : [
            'error',
            { object: 'process', property: 'env', message: 'the environment is read in src/system/' },
            { object: 'Date', property: 'now', message: 'use now() of src/system/clock.ts' },
          ],
  },
}))

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', 'resources'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      'max-lines': ['error', 400],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  ...oneWay,
  {
    // what root runs is small
    files: ['src/root-main.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: rooms
            .filter((room) => !['model', 'system', 'chroot'].includes(room))
            .map((room) => ({ group: [`**/${room}/*`], message: 'the root program is made of chroot/ and below' })),
        },
      ],
    },
  },
)
