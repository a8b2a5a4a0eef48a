import type { Defect } from './defect.ts'
import { effectDefects } from './effect-defects.ts'
import { holdDefects } from './hold-defects.ts'
import { runDefects } from './run-defects.ts'
import { submitDefects } from './submit-defects.ts'

/** Every rule marked * in the design, and the classics of the field, each left out once. */
export const defects: readonly Defect[] = [...submitDefects, ...runDefects, ...effectDefects, ...holdDefects]
