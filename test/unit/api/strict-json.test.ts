import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type JsonRead, readJsonBody, readJsonBytes, schemaOfShape } from '../../../src/api/strict-json.ts'

const shape = { data: 'bytes', timestamp: 'u32' } as const

function read(text: string): JsonRead<{ readonly data: Uint8Array; readonly timestamp: number }> {
  return readJsonBody(Buffer.from(text), shape)
}

function contentOf(text: string): { data: number[]; timestamp: number } {
  const result = read(text)
  assert.ok(result.ok, `${text}: ${result.ok ? '' : result.reason}`)
  return { data: [...result.value.data], timestamp: result.value.timestamp }
}

function faultOf(text: string): string {
  const result = read(text)
  assert.ok(!result.ok, text)
  return result.fault
}

test('reads an object of the fields in any order, with blanks', () => {
  const wanted = { data: [1, 2, 255], timestamp: 4294967295 }
  assert.deepEqual(contentOf('{"data":[1,2,255],"timestamp":4294967295}'), wanted)
  assert.deepEqual(contentOf(' {\n"timestamp" : 4294967295 ,\t"data" : [ 1 , 2 ,255 ] }\r\n'), wanted)
  assert.deepEqual(contentOf('{"data":[],"timestamp":0}'), { data: [], timestamp: 0 })
})

test('reads a list of the fields in order as the same', () => {
  assert.deepEqual(contentOf('[[8],1]'), { data: [8], timestamp: 1 })
  assert.equal(faultOf('[[8]]'), 'shape')
  assert.equal(faultOf('[]'), 'shape')
  assert.equal(faultOf('[[8],1,2]'), 'syntax')
  assert.equal(faultOf('[[8],1,]'), 'syntax')
})

test('passes over unknown fields, whatever they hold, and over text after the value', () => {
  const unknown = '{"a":[[],{},[{"b":[1.5e-3,null]}]],"c":"\\u0041 \\" }","d":true}'
  assert.deepEqual(contentOf(`{"x":${unknown},"data":[1],"y":-0.5,"timestamp":2}`), {
    data: [1],
    timestamp: 2,
  })
  assert.deepEqual(contentOf('{"data":[1],"timestamp":2} and more {'), { data: [1], timestamp: 2 })
  assert.deepEqual(contentOf('{"__proto__":1,"data":[1],"timestamp":2}'), { data: [1], timestamp: 2 })
})

test('reads the name of a field with escapes as that name', () => {
  assert.deepEqual(contentOf('{"d\\u0061ta":[1],"timestamp":2}'), { data: [1], timestamp: 2 })
})

test('refuses every number that is not a plain integer of the range, as a fault of shape', () => {
  for (const number of [
    '256',
    '-1',
    '1.5',
    '120.0',
    '1e2',
    '1.2e2',
    '-0',
    '99999999999999999999999',
    '1E0',
  ]) {
    assert.equal(faultOf(`{"data":[${number}],"timestamp":0}`), 'shape', number)
  }
  for (const number of ['4294967296', '-1', '0.0']) {
    assert.equal(faultOf(`{"data":[],"timestamp":${number}}`), 'shape', number)
  }
})

test('refuses other types as a fault of shape', () => {
  for (const value of ['"1"', 'true', 'false', 'null', '{}', '[1]']) {
    assert.equal(faultOf(`{"data":[${value}],"timestamp":0}`), 'shape', value)
    assert.equal(faultOf(`{"data":[],"timestamp":${value}}`), 'shape', value)
  }
  for (const value of ['"AQI="', '7', 'null', '{"0":1}']) {
    assert.equal(faultOf(`{"data":${value},"timestamp":0}`), 'shape', value)
  }
  for (const body of ['1', '"x"', 'null', 'true']) assert.equal(faultOf(body), 'shape', body)
})

test('refuses a field that is missing or given twice', () => {
  assert.equal(faultOf('{}'), 'shape')
  assert.equal(faultOf('{"data":[1]}'), 'shape')
  assert.equal(faultOf('{"data":[1],"timestamp":0,"data":[1]}'), 'shape')
  assert.equal(faultOf('{"data":[1],"timestamp":0,"d\\u0061ta":[1]}'), 'shape')
})

test('refuses what is no JSON as a fault of syntax', () => {
  const texts = [
    '',
    '  ',
    '{',
    '{"data":[1',
    '{"data":[1,]',
    '{"data":[01],"timestamp":0}',
    '{"data":[1 2]',
    'nul',
    '{data:[1]}',
  ]
  texts.push(
    '{"data":[1],"timestamp":0,}',
    '{"data":[1],,"timestamp":0}',
    '{"data" [1]}',
    '{"x":tru}',
    '{"x":"\\q"}',
  )
  texts.push(
    '{"x":"\n"}',
    '{"x":[1,2}',
    '{"x":{"a"}}',
    '{"x":.5}',
    '{"x":1.}',
    '{"x":"abc',
    '{"data":[-],"timestamp":0}',
    ']',
  )
  for (const text of texts) assert.equal(faultOf(text), 'syntax', text)
})

test('refuses nesting beyond its bound, and takes the last that is within', () => {
  const nested = (depth: number): string =>
    `{"x":${'['.repeat(depth)}${']'.repeat(depth)},"data":[],"timestamp":0}`
  assert.deepEqual(contentOf(nested(128)), { data: [], timestamp: 0 })
  assert.equal(faultOf(nested(129)), 'syntax')
  assert.equal(faultOf(`{"x":${'['.repeat(1_000_000)}`), 'syntax')
})

test('names the place of what is wrong', () => {
  const result = read('{"data":[1,2,300],"timestamp":0}')
  assert.ok(!result.ok)
  assert.match(result.reason, /data\[2\] must be an integer from 0 to 255, at byte 13/)
})

test('reads a bare array of bytes', () => {
  assert.deepEqual(readJsonBytes(Buffer.from('[0,1,1]')), { ok: true, value: Uint8Array.of(0, 1, 1) })
  const refused = readJsonBytes(Buffer.from('{}'))
  assert.equal(!refused.ok && refused.fault, 'shape')
})

test('reads back what JSON.stringify writes, and never throws whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(0xffff_ffff), fc.jsonValue(), (data, timestamp, extra) => {
      const text = JSON.stringify({ extra, data: [...data], timestamp })
      assert.deepEqual(contentOf(text), { data: [...data], timestamp })
    }),
  )
  fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof readJsonBody(bytes, shape).ok === 'boolean'))
})

test('skips an unknown value exactly where JSON.parse takes it', () => {
  const characters = '{}[]",:\\0123456789.-eEtrufalsn ab'
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 12 }), (value) => {
      const text = `{"data":[],"timestamp":0,"x":${value}}`
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      // A value that closes the object itself leaves text behind, which is ignored here.
      if (isJson && !value.includes('data') && !value.includes('timestamp')) assert.ok(read(text).ok, text)
      if (!isJson && !value.includes('}')) assert.equal(faultOf(text), 'syntax', text)
    }),
    { numRuns: 2_000 },
  )
})

test('describes what it takes', () => {
  assert.deepEqual(schemaOfShape({ data: 'bytes', timestamp: 'u32' }), {
    type: 'object',
    required: ['data', 'timestamp'],
    properties: {
      data: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } },
      timestamp: { type: 'integer', minimum: 0, maximum: 4294967295 },
    },
  })
})
