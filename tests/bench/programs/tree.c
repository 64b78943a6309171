/*
 * tree.c - a binary search tree: insertion in random order, recursive walks.
 *
 * A walk visits each node once and calls itself for both of its children.
 */
#include "tests/bench/programs/program.h"

#define NODES       20000u
#define WALKS       16

const unsigned default_rounds = 70;

struct node {
    struct node *left, *right;
    uint32_t key;
};

static struct node nodes[NODES];

static void
insert(struct node **link, struct node *node)
{
    while (*link != NULL)
        link = node->key < (*link)->key ? &(*link)->left : &(*link)->right;
    *link = node;
}

static uint32_t
depth(const struct node *node)
{
    uint32_t left, right;

    if (node == NULL)
        return 0;
    left = depth(node->left);
    right = depth(node->right);
    return (left > right ? left : right) + 1;
}

static uint32_t
walk(const struct node *node, uint32_t sum)
{
    if (node == NULL)
        return sum;
    sum = walk(node->left, sum);
    sum = checksum_add(sum, node->key);
    return walk(node->right, sum);
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++) {
        struct node *root = NULL;

        for (uint32_t i = 0; i < NODES; i++) {
            nodes[i] = (struct node){ .key = random_next() };
            insert(&root, &nodes[i]);
        }
        for (int i = 0; i < WALKS; i++)
            sum = walk(root, sum + depth(root));
    }
    return sum;
}
