/* Garbage collection of one digest, as docs/decisions/0014-garbage-collection.md describes it; steps have the names
   they have in the code. tools/check_model.py checks it, and that it finds the mistake in each variant below:

     NO_SWEEPS          forgetting isn't counted
     NO_LOOK            an arrival doesn't compare the count
     NO_LEAVING         an arrival doesn't mind that the bytes are being removed
     NO_REVIVAL         an arrival leaves a condemned row condemned
     NO_COMPARE         a link goes although it was used or promised since it was found
     NO_COMMIT_CHECK    a manifest is committed without a look at its links
     NO_CLAIM_CHECK     a row begins to leave although it was revived since it was found
     NO_REMOVER         several processes remove bytes at once, one of them long thought dead

   The trash (docs/decisions/0020-trash.md) is one more repository here: a removal mounts the blob into it in the same
   transaction, a way back is a mount out of it with a commit, and an entry that ends is a link that is swept.

   Time does not occur: a lease or a grace may end at any moment, so what is safe here is safe under any clock. Each
   atomic block is one transaction, or one step of the store. */

#ifndef PUSHES
#define PUSHES 2 /* of each pusher */
#endif

mtype = { none, live, condemned, leaving };

mtype row = none;     /* blobs.state */
bool bytes = false;   /* the blob's file */
byte sweeps = 0;      /* gc_state.sweeps */
bool link[2];         /* repository_blobs, of two repositories */
byte promised[2];     /* which promise was the last: unused_since */
bool manifest[2];     /* of each repository one that needs the blob */
byte remover = 0;     /* who holds the store's BlobRemover */
byte pushers = 0;     /* that have not ended */

#define linked (link[0] || link[1])

/* A transaction that links the blob to repository r, whose row says that its bytes are there. */
inline put_link(r) {
#ifndef NO_REVIVAL
    row = live;
#endif
    link[r] = true;
    promised[r]++
}

/* registry/uploads.cpp */
proctype Pusher(byte r) {
    byte looked;
    byte round = 0;
    bool arrived;
    do
    :: round == PUSHES -> break
    :: round < PUSHES ->
        round++;
Look:   looked = sweeps;
Store:  bytes = true;
Arrive: arrived = false;
        atomic {
            if
            :: row == live || row == condemned -> put_link(r); arrived = true
#ifdef NO_LEAVING
            :: row == leaving -> put_link(r); row = live; arrived = true
#endif
#ifdef NO_LOOK
            :: row == none -> put_link(r); row = live; arrived = true
#else
            :: row == none && sweeps == looked -> put_link(r); row = live; arrived = true
#endif
            :: else -> skip
            fi
        }
        if
        :: arrived -> skip
        :: else -> /* look_again: wait until it has left, then see whether the bytes are there still */
            atomic { row != leaving -> looked = sweeps }
            if
            :: bytes -> goto Arrive
            :: else -> goto Store
            fi
        fi;
Commit: atomic {
#ifdef NO_COMMIT_CHECK
            manifest[r] = true
#else
            if
            :: link[r] -> manifest[r] = true
            :: else -> skip /* manifest_blob_unknown: the lease was too short */
            fi
#endif
        }
Release: if
        :: manifest[r] = false /* deleted at once */
        :: skip
        fi
    od;
    pushers--
}

/* registry/mount_blob.cpp: from the first repository into the second; HEAD is a promise too. */
proctype Mounter() {
Promise: atomic {
        if
        :: link[0] -> promised[0]++
        :: else -> skip
        fi
    }
Mount: atomic {
        if
        :: link[0] && (row == live || row == condemned) -> put_link(1)
        :: else -> skip
        fi
    }
Commit: atomic {
        if
        :: link[1] -> manifest[1] = true
        :: else -> skip
        fi
    };
    pushers--
}

/* Deletes whatever manifests there are, and in the end all of them. */
proctype Deleter() {
    if
    :: manifest[0] = false
    :: manifest[1] = false
    :: skip
    fi;
    pushers == 0;
    atomic { manifest[0] = false; manifest[1] = false }
}

/* upkeep/gc/garbage_collection.cpp. It may be killed between any two steps, and another run begins. */
proctype Sweeper(byte me; byte kills) {
    byte r;
    byte seen;
    bool found;
Begin:
    do
    :: true ->
        r = 0;
        do
        :: r == 2 -> break
        :: r < 2 ->
            atomic { found = link[r] && !manifest[r]; seen = promised[r] }
            if
            :: found ->
SweepLinks:     atomic {
#ifdef NO_COMPARE
                    if
                    :: link[r] ->
#else
                    if
                    :: link[r] && !manifest[r] && promised[r] == seen ->
#endif
                        link[r] = false;
                        if
                        :: !linked && row == live -> row = condemned /* Condemn */
                        :: else -> skip
                        fi
                    :: else -> skip
                    fi
                }
            :: else -> skip
            fi;
            r++
        od;
        if
        :: row != condemned && row != leaving -> goto Begin
        :: else -> skip
        fi;
#ifdef NO_REMOVER
        remover = me;
#else
        atomic { remover == 0 -> remover = me }
#endif
#ifdef NO_CLAIM_CHECK
        found = (row == condemned);
Claim:  atomic {
            if
            :: found -> row = leaving
            :: else -> skip
            fi
        }
#else
Claim:  atomic {
            if
            :: row == condemned && !linked -> row = leaving
            :: else -> skip
            fi
        }
#endif
        if
        :: row == leaving ->
Remove:     bytes = false;
Forget:     atomic {
                if
                :: row == leaving ->
                    row = none;
#ifndef NO_SWEEPS
                    sweeps++
#endif
                :: else -> skip
                fi
            }
        :: else -> skip
        fi;
        atomic { if :: remover == me -> remover = 0 :: else -> skip fi }
    od unless {
        /* kill -9: the kernel lets the lock go */
        atomic { kills > 0 -> kills--; if :: remover == me -> remover = 0 :: else -> skip fi }
    };
    goto Begin
}

init {
    atomic {
        pushers = 2;
        run Pusher(0);
#ifdef SMALL
        run Mounter();
        run Deleter();
        run Sweeper(1, 1)
#else
#ifdef MOUNTS
        run Mounter();
#else
        run Pusher(1);
#endif
        run Deleter();
        run Sweeper(1, 1);
        run Sweeper(2, 0)
#endif
    }
}

/* A manifest never points at nothing, and what a row promises is there. */
ltl safe { [] ((!manifest[0] || (link[0] && row == live && bytes)) &&
               (!manifest[1] || (link[1] && row == live && bytes)) &&
               (!linked || row == live) &&
               ((row != live && row != condemned) || bytes)) }

/* Once nobody pushes and every manifest is gone, so are row and bytes, for good. */
ltl progress { <> [] (row == none && !bytes && !linked) }
