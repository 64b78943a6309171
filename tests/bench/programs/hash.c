/*
 * hash.c - a hash table with chains: insert, find, remove.
 */
#include "tests/bench/programs/program.h"

#define NODES       16384u
#define BUCKETS     8192u       /* a power of two */
#define FINDS       4

const unsigned default_rounds = 270;

struct node {
    struct node *next;
    uint32_t key, value;
};

static struct node nodes[NODES];
static struct node *buckets[BUCKETS];

static struct node **
bucket(uint32_t key)
{
    key ^= key >> 16;
    key *= 0x45d9f3bu;
    key ^= key >> 15;
    return &buckets[key & (BUCKETS - 1)];
}

/* The link that points to KEY's node, or the last link of its chain. */
static struct node **
find(uint32_t key)
{
    struct node **link = bucket(key);

    while (*link != NULL && (*link)->key != key)
        link = &(*link)->next;
    return link;
}

static void
insert(struct node *node, uint32_t key)
{
    struct node **link = find(key);

    node->key = key;
    node->value = 0;
    if (*link == NULL) {
        node->next = NULL;
        *link = node;
    }
}

static uint32_t
remove_key(uint32_t key)
{
    struct node **link = find(key), *node = *link;

    if (node == NULL)
        return 0;
    *link = node->next;
    return node->value;
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < NODES; i++)
            insert(&nodes[i], i * 7919 + round);
        for (uint32_t i = 0; i < NODES * FINDS; i++) {
            struct node *node = *find(random_next() % NODES * 7919 + round);

            node->value += i;
        }
        for (uint32_t i = 0; i < NODES; i++)
            sum = checksum_add(sum, remove_key(i * 7919 + round));
    }
    return sum;
}
