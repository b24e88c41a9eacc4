#pragma once

namespace entrepot {

// Schema version 13: projects that several sites hold (docs/decisions/0025-synchronous-projects.md).
inline constexpr const char* postgres_synchronous_schema = R"sql(
-- What this site is to the project ('' where it alone holds it, 'home', 'follower', 'fenced'), since which epoch, where
-- the home is, and of followers who may write in its name. An epoch that was stays when the project is no longer shared.
ALTER TABLE projects ADD COLUMN site_role TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN home_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN home_address TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN home_user_id BIGINT NOT NULL DEFAULT 0;
-- The same two of each repository: whoever has waited for a repository's row sees it as it is then, and not the row of
-- its project.
ALTER TABLE repositories ADD COLUMN site_role TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN home_epoch BIGINT NOT NULL DEFAULT 0;
CREATE INDEX projects_of_sites ON projects (id) WHERE site_role <> '';

-- At the home: how many of its sites have to hold a push, and for how many seconds it waits for them.
CREATE TABLE synchronisations (
    project_id BIGINT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    required   BIGINT NOT NULL,
    degrades   BIGINT NOT NULL,
    patience   BIGINT NOT NULL,
    creator_id BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The sites, by which epoch each has been told who its home is, and whether it was among the project's sites before
-- this home took over: what it alone has is overruled then, and its own business otherwise.
CREATE TABLE synchronised_sites (
    project_id     BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    registry_id    BIGINT NOT NULL REFERENCES registries (id),
    project_there  TEXT NOT NULL,
    followed_epoch BIGINT NOT NULL,
    took_part      BIGINT NOT NULL,
    PRIMARY KEY (project_id, registry_id)
);
CREATE INDEX synchronised_sites_by_registry ON synchronised_sites (registry_id);

-- What a site may lack or hold otherwise: written with the change itself, gone once the site was seen to hold `digest`
-- (empty: to hold nothing) there.
CREATE TABLE synchronised_pending (
    project_id  BIGINT NOT NULL,
    registry_id BIGINT NOT NULL,
    repository  TEXT COLLATE "C" NOT NULL,
    reference   TEXT COLLATE "C" NOT NULL,
    digest      TEXT NOT NULL,
    since       BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    last_error  TEXT NOT NULL,
    PRIMARY KEY (project_id, registry_id, repository, reference),
    FOREIGN KEY (project_id, registry_id) REFERENCES synchronised_sites (project_id, registry_id) ON DELETE CASCADE
);
)sql";

}  // namespace entrepot
