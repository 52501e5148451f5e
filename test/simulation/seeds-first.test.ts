// The first half of the fixed budget of seeds.
import { testSeeds } from './seeds.ts'

testSeeds(1, 100)
