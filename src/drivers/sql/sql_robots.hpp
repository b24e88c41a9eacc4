#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/robot_catalog.hpp"

namespace entrepot {

// Robots on any SqlEngine, which outlives them. A robot is a row of users, one of robots, one of credentials (whose
// version ends what an old secret made) and a grant for each of its rights.
class SqlRobots final : public RobotCatalog {
public:
    explicit SqlRobots(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Robot>> list(RobotLevel level, std::int64_t home, ListQuery query) override;
    Task<Robot> find(std::int64_t id) override;
    Task<Robot> create(Robot robot, std::string secret_hash, Actor actor) override;
    Task<Robot> change(std::int64_t id, RobotChange change, Actor actor) override;
    Task<> set_secret(std::int64_t id, std::string hash, Micros previous_until, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
