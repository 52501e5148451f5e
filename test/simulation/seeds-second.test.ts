// The second half of the fixed budget of seeds.
import { testSeeds } from './seeds.ts'

testSeeds(101, 200)
