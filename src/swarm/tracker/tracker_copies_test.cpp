#include "swarm/tracker/test_tracker.hpp"

namespace entrepot {
namespace {

// Of what each of the streams was told of copies in its zone, the last; -1: nothing.
class ATrackerOfCopies : public ATracker {
protected:
    std::vector<int> told(std::vector<ControlId> streams)
    {
        std::vector<int> last;
        for (const auto stream : streams) {
            const auto frames = shell.take<HoldersFrame>(stream);
            last.push_back(frames.empty() ? -1 : frames.back().others);
        }
        return last;
    }
    void progress(ControlId stream, std::uint16_t to)
    {
        tracker.received(stream, ProgressFrame{.swarms = {{.handle = SwarmHandle{1}, .progress = to}}}, now);
    }
};

TEST_F(ATrackerOfCopies, TellsWhoHasAllOfAnImageHowManyOthersOfItsZoneDo)
{
    for (ControlId stream = 1; stream <= 6; ++stream) join(stream, 1);
    open(7, "b");
    announce(7, 1, 1, 1000);
    admit_all();
    EXPECT_EQ(told({1, 2, 7}), (std::vector{-1, -1, 0})) << "other zones don't count, nor do parts";
    progress(1, 1000);
    EXPECT_EQ(told({1, 2, 7}), (std::vector{0, -1, -1}));
    progress(2, 1000);
    EXPECT_EQ(told({1, 2, 3}), (std::vector{1, 1, -1}));
    progress(2, 1000);
    EXPECT_EQ(told({1, 2, 3}), (std::vector{-1, -1, -1})) << "nothing has changed";
    progress(3, 1000);
    progress(4, 1000);
    EXPECT_EQ(told({1, 2, 3, 4}), (std::vector{3, 3, 3, 3}));
    progress(5, 1000);
    progress(6, 1000);
    EXPECT_EQ(told({1, 2, 3, 4, 5, 6}), (std::vector{-1, -1, -1, -1, 3, 3})) << "many are many";

    tracker.received(6, RetireFrame{.handle = SwarmHandle{1}}, now);
    tracker.closed(5);
    EXPECT_EQ(told({1, 2, 3, 4}), (std::vector{-1, -1, -1, -1}));
    progress(4, 900);
    EXPECT_EQ(told({1, 2, 3, 4}), (std::vector{2, 2, 2, -1})) << "it has lost a piece";
    tracker.refused(3, SwarmHandle{1}, swarm_named(1));
    EXPECT_EQ(told({1, 2, 3, 4}), (std::vector{1, 1, -1, -1}));
    now += settings.silence;
    tracker.received(2, PingFrame{}, now);
    tracker.look(now);
    EXPECT_EQ(told({1, 2}), (std::vector{-1, 0})) << "all others have died";
}

TEST_F(ATrackerOfCopies, TellsAnewWhoComesAgain)
{
    join(1, 1, 1000);
    join(2, 1, 1000);
    EXPECT_EQ(told({1, 2}), (std::vector{1, 1}));
    progress(1, 999);
    EXPECT_EQ(told({1, 2}), (std::vector{-1, 0}));
    announce(1, 1, 1, 1000);
    EXPECT_EQ(told({1, 2}), (std::vector{1, 1}));
    // On another stream; the one before is ended.
    tracker.opened(3, node_named(1), {}, now);
    tracker.received(3, RegisterFrame{.name = "node-1", .zone = "a"}, now);
    EXPECT_EQ(told({2}), (std::vector{0}));
    announce(3, 1, 9, 1000);
    admit_all();
    EXPECT_EQ(told({2, 3}), (std::vector{1, 1}));
    announce(2, 2, 2, 1000);
    EXPECT_EQ(told({2}), (std::vector{-1})) << "it isn't admitted";
    admit_all();
    EXPECT_EQ(told({2}), (std::vector{0})) << "another image";
    RevokeFrame revoked;
    revoked.ids.push_back(Sha256{swarm_named(1).bytes});
    tracker.revoke(revoked);
    EXPECT_EQ(tracker.swarms(), 1U);
}

}  // namespace
}  // namespace entrepot
