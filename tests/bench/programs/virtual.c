/*
 * virtual.c - objects of several classes, whose methods are called through
 * tables of functions: one indirect call for each object, in mixed order.
 */
#include "tests/bench/programs/program.h"

#define OBJECTS     256u

const unsigned default_rounds = 1000000;

struct object;

struct class {
    uint32_t (*step)(struct object *object, uint32_t input);
    uint32_t (*state)(const struct object *object);
};

struct object {
    const struct class *class;
    uint32_t value, count;
};

static struct object objects[OBJECTS];

static uint32_t
counter_step(struct object *object, uint32_t input)
{
    object->count++;
    return input + object->count;
}

static uint32_t
adder_step(struct object *object, uint32_t input)
{
    object->value += input;
    return object->value;
}

static uint32_t
mixer_step(struct object *object, uint32_t input)
{
    object->value ^= input << 3;
    return object->value >> 1 ^ input;
}

static uint32_t
delay_step(struct object *object, uint32_t input)
{
    uint32_t old = object->value;

    object->value = input;
    return old;
}

static uint32_t
get_value(const struct object *object)
{
    return object->value;
}

static uint32_t
get_count(const struct object *object)
{
    return object->count;
}

static const struct class classes[] = {
    { counter_step, get_count }, { adder_step, get_value },
    { mixer_step, get_value }, { delay_step, get_value },
};

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0, signal = 1;

    for (uint32_t i = 0; i < OBJECTS; i++)
        objects[i].class = &classes[random_next() >> 8 & 3];
    for (unsigned round = 0; round < rounds; round++) {
        const struct object *seen = &objects[round % OBJECTS];

        for (uint32_t i = 0; i < OBJECTS; i++)
            signal = objects[i].class->step(&objects[i], signal);
        sum += seen->class->state(seen);
    }
    for (uint32_t i = 0; i < OBJECTS; i++)
        sum = checksum_add(sum, objects[i].class->state(&objects[i]));
    return sum;
}
