// The one JSON schema validator: draft 2020-12, as OpenAPI 3.1 has it; strict about schemas, and nothing is coerced,
// filled in or removed in what clients send. Each schema is compiled once, when its route is made.
import { Ajv2020, type AnySchema, type ValidateFunction } from 'ajv/dist/2020.js'
import { allSchemas } from './schemas/all.ts'

const ajv = new Ajv2020({
  strict: true,
  allowUnionTypes: true,
  coerceTypes: false,
  useDefaults: false,
  removeAdditional: false,
})
for (const schema of allSchemas) ajv.addSchema(schema)

export function compileSchema<T = unknown>(schema: AnySchema): ValidateFunction<T> {
  return ajv.compile<T>(schema)
}
